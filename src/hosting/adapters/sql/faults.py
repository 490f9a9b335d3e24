"""Which database errors mean "not now", and which mean a mistake of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from hosting.domain.errors import StorageUnavailable

MISTAKES: Final = (exc.IntegrityError, exc.DataError, exc.ProgrammingError)
"""What one bad unit raises; the others of its batch can go on without it."""


_DEADLOCK_STATES: Final = {"40P01", "40001"}


def is_deadlock(error: exc.DBAPIError) -> bool:
    """Say whether PostgreSQL ended a transaction because it stood in another one's way."""
    return getattr(error.orig, "sqlstate", None) in _DEADLOCK_STATES


@contextmanager
def storage_faults() -> Iterator[None]:
    """Tell a full disk, a lost connection or a timeout as StorageUnavailable; let mistakes pass as they are."""
    try:
        yield
    except MISTAKES:
        raise
    except (exc.DBAPIError, exc.TimeoutError, OSError, TimeoutError) as error:
        raise StorageUnavailable(_told(_first(error))) from error


def _first(error: BaseException) -> BaseException:
    """Return what went wrong first: a full disk ends the transaction, and rolling that back then fails as well."""
    while isinstance(error.__context__, exc.DBAPIError):
        error = error.__context__
    return error


def _told(error: BaseException) -> str:
    # A timeout says nothing; without this it would be an error of another kind, which nobody waits out.
    return next(iter(str(error).splitlines()), type(error).__name__)[:300]
