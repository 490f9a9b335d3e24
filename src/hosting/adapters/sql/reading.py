"""Where queries run: a few threads of their own for SQLite, pooled connections for PostgreSQL."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Executable, Row

from hosting.adapters.sql.answering import Answering
from hosting.adapters.sql.faults import storage_faults
from hosting.domain.quota import Quota
from hosting.domain.share import SHARE
from hosting.domain.turns import Turns

if TYPE_CHECKING:
    # Half of SQLAlchemy, which a server on SQLite starts sooner without.
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

_READS_AT_ONCE: Final = 12

Query = Callable[[Connection], T]


class Reading(Protocol):
    """Runs pieces of synchronous SQL that only read, outside of any transaction: each statement sees what is committed.

    Raises:
        StorageUnavailable: the store cannot be read now.
    """

    def run(self, query: Query[T]) -> Awaitable[T]:
        """Return what the query returns."""
        ...


async def rows(reading: Reading, statement: Executable, **given: object) -> list[Row[Any]]:
    """Return all rows of one statement; raises as Reading does."""
    return await reading.run(lambda connection: _all(connection, statement, given))


def _all(connection: Connection, statement: Executable, given: Mapping[str, object]) -> list[Row[Any]]:
    return list(connection.execute(statement, given).all())


class ReadingThreads:
    """Reads on threads: one hop a query, where an async driver has one for each of its four or five calls.

    Nobody has all of them: the long reads of one tenant leave one to others.
    """

    def __init__(self, engine: Engine, threads: int) -> None:
        self._engine = engine
        self._turns = _turns(threads, threads - 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sqlite reader")

    async def run(self, query: Query[T]) -> T:
        """See Reading.run."""
        share = SHARE.get()
        await self._turns.take(share)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)
        finally:
            self._turns.give_back(share)

    async def close(self) -> None:
        """End the threads, then the connections."""
        await asyncio.to_thread(self._pool.shutdown)
        self._engine.dispose()

    def _read(self, query: Query[T]) -> T:
        with storage_faults(), self._engine.connect() as connection:
            return query(connection)


class PooledReading:
    """Reads on a connection of the pool, within the event loop.

    Half of them are left to those who write, and the reads of one tenant leave some of the rest to others.
    """

    def __init__(self, engine: "AsyncEngine", answering: Answering | None = None) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._answering = answering or Answering()
        self._turns = _turns(_READS_AT_ONCE, _READS_AT_ONCE * 2 // 3)

    async def run(self, query: Query[T]) -> T:
        """See Reading.run."""
        share = SHARE.get()
        await self._turns.take(share)
        try:
            with storage_faults():
                async with self._answering.connection(self._engine) as connection:
                    return await connection.run_sync(query)
        finally:
            self._turns.give_back(share)


def _turns(at_once: int, at_once_of_one: int) -> Turns[str]:
    # Whoever waits here was let in before, by somebody who counts.
    return Turns(max(1, at_once), max(1, at_once_of_one), Quota(sys.maxsize, sys.maxsize))
