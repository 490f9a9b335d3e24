"""A database seen by a command: for a moment, and beside the servers that are on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from hosting.adapters.sql.address import is_sqlite, read_url, sqlite_path
from hosting.adapters.sql.api_keys import SqlApiKeys
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.migrate import is_current
from hosting.adapters.sql.postgres_server import dispose, migrate_postgres, postgres_engine
from hosting.adapters.sql.reading import PooledReading, Reading, ReadingThreads
from hosting.adapters.sql.sqlite_file import key_file_of, lock_file, migrate_sqlite, sqlite_readers, sqlite_writer
from hosting.adapters.sql.transactor import PooledTransactor, ThreadTransactor, Transactor

_PATIENCE_SECONDS: Final = 5.0

Visited = tuple[Transactor, Reading]

OnMigration = Callable[[str], None]
"""Is told that the tables of the database named are brought up to date."""


@asynccontextmanager
async def visit_keys(url: str, on_migration: OnMigration) -> AsyncIterator[SqlApiKeys]:
    """Open the keys of a database; see `visit`."""
    async with visit(url, on_migration) as (transactor, reading):
        yield SqlApiKeys(transactor, reading)


@asynccontextmanager
async def visit(
    url: str, on_migration: OnMigration, *, patience_seconds: float = _PATIENCE_SECONDS
) -> AsyncIterator[Visited]:
    """Open a database without locking anybody out.

    A database whose tables are older is brought up to date, which on SQLite only works when no server is on it.

    Raises:
        StorageRefused: the address is wrong, or a server is on a file whose tables would have to be changed.
        StorageUnavailable: it cannot be reached.
    """
    parsed = read_url(url)
    async with AsyncExitStack() as stack:
        if is_sqlite(parsed):
            yield await _visit_sqlite(parsed, stack, on_migration)
        else:
            yield await _visit_postgres(parsed, stack, on_migration, patience_seconds)


def keys_beside(url: str) -> Path | None:
    """Return where a server on this database has its signing keys; None where nothing lies beside a database.

    Raises:
        StorageRefused: the address is wrong.
    """
    parsed = read_url(url)
    return key_file_of(sqlite_path(parsed)) if is_sqlite(parsed) else None


async def _visit_sqlite(url: URL, stack: AsyncExitStack, on_migration: OnMigration) -> Visited:
    path = sqlite_path(url)
    reading = ReadingThreads(sqlite_readers(url, threads=1), 1)
    stack.push_async_callback(reading.close)
    transactor = ThreadTransactor(writer := sqlite_writer(url))
    stack.push_async_callback(transactor.close)
    # Looked for first: to ask a file that is not there would make it.
    if not path.exists() or not await reading.run(is_current):
        with closing(lock_file(path)), storage_faults():
            on_migration(str(path))
            await asyncio.to_thread(migrate_sqlite, writer)
    return transactor, reading


async def _visit_postgres(
    url: URL, stack: AsyncExitStack, on_migration: OnMigration, patience_seconds: float
) -> Visited:
    engine = postgres_engine(url, lease_seconds=patience_seconds)
    stack.push_async_callback(dispose, engine, _PATIENCE_SECONDS)
    reading = PooledReading(engine)
    if not await reading.run(is_current):
        with storage_faults():
            on_migration(f"{url.host}/{url.database}")
            await migrate_postgres(url)
    return PooledTransactor(engine), reading
