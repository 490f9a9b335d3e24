"""Where queries run: a few threads of their own for SQLite, pooled connections for PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Executable, Row
from sqlalchemy.ext.asyncio import AsyncEngine

from hosting.adapters.sql.faults import storage_faults

T = TypeVar("T")
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
    """Reads on threads: one hop a query, where an async driver has one for each of its four or five calls."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sqlite reader")

    def run(self, query: Query[T]) -> Awaitable[T]:
        """See Reading.run."""
        return asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)

    async def close(self) -> None:
        """End the threads, then the connections."""
        await asyncio.to_thread(self._pool.shutdown)
        self._engine.dispose()

    def _read(self, query: Query[T]) -> T:
        with storage_faults(), self._engine.connect() as connection:
            return query(connection)


class PooledReading:
    """Reads on a connection of the pool, within the event loop."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    def run(self, query: Query[T]) -> Awaitable[T]:
        """See Reading.run."""
        return self._read(query)

    async def _read(self, query: Query[T]) -> T:
        with storage_faults():
            async with self._engine.connect() as connection:
                return await connection.run_sync(query)
