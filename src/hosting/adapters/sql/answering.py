"""Connections to a database that may fall silent: then few ask it, and everybody else is told so at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import TimeoutError as PoolTimeout

from hosting.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    # Half of SQLAlchemy, which a server on SQLite starts sooner without.
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_SILENT_AFTER: Final = 3
"""Answers in a row that did not come in time; one can be this process's own fault, after a pause."""
_MOST_TRIES: Final = 4
"""Who asks a silent database, at a time; each may have to wait for all of its patience."""


class Answering:
    """Gives connections of a pool out, and remembers whether whoever had one was answered.

    A database that is away says so at once. One that is silent, as behind a network that swallows everything, keeps
    each request waiting for as long as it may; without this, requests would wait for each other's waiting.
    """

    def __init__(self) -> None:
        self._unanswered = 0
        self._asking = 0

    @asynccontextmanager
    async def connection(self, engine: "AsyncEngine") -> "AsyncIterator[AsyncConnection]":
        """Take a connection of the pool, and give it back.

        Raises:
            StorageUnavailable: the database is silent, and enough others are trying it.
        """
        if self._unanswered >= _SILENT_AFTER and self._asking >= _MOST_TRIES:
            raise StorageUnavailable("the database does not answer")
        self._asking += 1
        try:
            async with engine.connect() as connection:
                try:
                    yield connection
                except Exception as error:
                    if _is_silence(error):
                        # To give it back would be to wait for the end of what was not answered.
                        await connection.invalidate()
                    raise
            self._unanswered = 0
        except PoolTimeout:
            # It was not asked: all connections are waiting for it, and whether it answers is what they find out.
            raise
        except Exception as error:
            self._unanswered = self._unanswered + 1 if _is_silence(error) else 0
            raise
        finally:
            self._asking -= 1


def _is_silence(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError)
