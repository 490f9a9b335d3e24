"""Which database errors mean "not now", and which mean a mistake of ours."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import exc

from hosting.domain.errors import StorageUnavailable

T = TypeVar("T")

_MISTAKES: Final = (exc.IntegrityError, exc.DataError, exc.ProgrammingError)
# The driver tells these as errors of no kind: data that no column takes, and more than an index or a row can hold
# (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_MISTAKEN_CLASSES: Final = ("22", "54")
_DEADLOCK_STATES: Final = {"40P01", "40001"}


def is_deadlock(error: exc.DBAPIError) -> bool:
    """Say whether PostgreSQL ended a transaction because it stood in another one's way."""
    return getattr(error.orig, "sqlstate", None) in _DEADLOCK_STATES


def is_mistake(error: BaseException) -> bool:
    """Say whether one bad unit raises this, and always will; the others of its batch can go on without it."""
    if isinstance(error, _MISTAKES):
        return True
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, exc.DBAPIError) else None
    return isinstance(state, str) and state.startswith(_MISTAKEN_CLASSES)


@contextmanager
def storage_faults() -> Iterator[None]:
    """Tell a full disk, a lost connection or a timeout as StorageUnavailable; let mistakes pass as they are."""
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError, OSError, TimeoutError) as error:
        if is_mistake(error):
            raise
        raise StorageUnavailable(_told(_first(error))) from error


async def all_unavailable(asked: Awaitable[T]) -> T:
    """Tell also what is wrong with the tables as StorageUnavailable: whoever asks has an answer for that alone."""
    try:
        return await asked
    except exc.DBAPIError as error:
        raise StorageUnavailable(_told(error)) from error


def _first(error: BaseException) -> BaseException:
    """Return what went wrong first: a full disk ends the transaction, and rolling that back then fails as well."""
    while isinstance(error.__context__, exc.DBAPIError):
        error = error.__context__
    return error


def _told(error: BaseException) -> str:
    # A timeout says nothing; without this it would be an error of another kind, which nobody waits out.
    return next(iter(str(error).splitlines()), type(error).__name__)[:300]
