"""A part of a transaction that can be undone by itself."""

from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection

_BEGIN: Final = "SAVEPOINT unit"
_UNDO: Final = "ROLLBACK TO SAVEPOINT unit"
_END: Final = "RELEASE SAVEPOINT unit"


class Savepoint:
    """What is done inside of it stays, unless it is undone or an exception leaves it; one at a time.

    SQLAlchemy's own costs as much as all else that a run's start does in a batch of many.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        self._connection.exec_driver_sql(_BEGIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._connection.exec_driver_sql(_END)
        elif not self._connection.invalidated:
            # Not suppressed when it fails: whoever caught the first error would go on with half a unit.
            self.undo()
            self._connection.exec_driver_sql(_END)

    def undo(self) -> None:
        """Undo what was done inside of it so far."""
        self._connection.exec_driver_sql(_UNDO)
