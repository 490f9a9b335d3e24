"""Opening a database: engines, settings of each connection, migrations, and the lock of a SQLite file."""

import asyncio
import fcntl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hosting.adapters.sql.event_store import SqlEventStore
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.leases import SqlLeases
from hosting.adapters.sql.log_reader import SqlLogReader
from hosting.adapters.sql.migrate import migrate
from hosting.adapters.sql.reads import SqlQueries, SqlRunReads, SqlTenantReads
from hosting.adapters.sql.transactor import PooledTransactor, ThreadTransactor, Transactor
from hosting.domain.errors import StorageRefused
from hosting.domain.scope import TenantId

_SQLITE_READERS: Final = 4
_POSTGRES_CONNECTIONS: Final = 12

OnConnect = Callable[[Any], None]
"""Called with each new DBAPI connection that writes to SQLite; tests make a disk small with it."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database as the doors that it stands behind.

    `exclusive` says that no other server can be on it; `writers` is how many commits it takes at once.
    """

    events: SqlEventStore
    log: SqlLogReader
    leases: SqlLeases
    runs: SqlRunReads
    exclusive: bool
    writers: int
    _queries: SqlQueries

    def tenant(self, tenant: TenantId) -> SqlTenantReads:
        """Return the door to one tenant's rows."""
        return SqlTenantReads(self._queries, tenant)

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StorageUnavailable: there is none.
        """
        await self._queries.ping()


async def open_database(
    url: str, stack: AsyncExitStack, *, lease_seconds: float, on_connect: OnConnect | None = None
) -> Database:
    """Open, lock and migrate a database; the stack closes it.

    Raises:
        StorageRefused: the address is of no kind we know, or another server has the SQLite file.
        StorageUnavailable: it cannot be reached.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageRefused(
            "The database URL cannot be read; write it like sqlite+aiosqlite:///./branchline.db."
        ) from error
    if parsed.drivername == "sqlite+aiosqlite":
        return await _open_sqlite(parsed, stack, on_connect)
    if parsed.drivername == "postgresql+asyncpg":
        return await _open_postgres(parsed, stack, lease_seconds)
    raise StorageRefused(
        f"Databases of kind {parsed.drivername!r} are not supported; use sqlite+aiosqlite or postgresql+asyncpg."
    )


async def _open_sqlite(url: URL, stack: AsyncExitStack, on_connect: OnConnect | None) -> Database:
    if not url.database or url.database == ":memory:":
        raise StorageRefused("SQLite needs a file, since several connections share it; name one in the database URL.")
    path = Path(url.database)
    if not path.parent.is_dir():
        raise StorageRefused(f"The folder {path.parent} of the SQLite file does not exist.")
    stack.callback(_lock(path).close)
    writer = create_engine(url.set(drivername="sqlite"), connect_args={"check_same_thread": False})
    _prepare_sqlite(writer, "BEGIN IMMEDIATE", on_connect)
    with storage_faults():
        await asyncio.to_thread(_migrate_sqlite, writer)
    readers = create_async_engine(url, pool_size=_SQLITE_READERS, max_overflow=_SQLITE_READERS)
    _prepare_sqlite(readers.sync_engine, "BEGIN", None)
    stack.push_async_callback(readers.dispose)
    transactor = ThreadTransactor(writer)
    stack.push_async_callback(transactor.close)
    return _database(transactor, readers, exclusive=True, writers=1)


async def _open_postgres(url: URL, stack: AsyncExitStack, lease_seconds: float) -> Database:
    # A stopped process must not hold a branch row for longer than its leases live.
    patience = f"{int(lease_seconds * 800)}ms"
    settings = {
        "application_name": "branchline",
        "idle_in_transaction_session_timeout": patience,
        "lock_timeout": patience,
        "statement_timeout": patience,
        "synchronous_commit": "on",
    }
    engine = create_async_engine(
        url,
        pool_size=_POSTGRES_CONNECTIONS,
        max_overflow=_POSTGRES_CONNECTIONS,
        pool_pre_ping=False,
        connect_args={"server_settings": settings, "timeout": lease_seconds},
    )
    stack.push_async_callback(engine.dispose)
    with storage_faults():
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            await connection.execute(text("SET LOCAL statement_timeout = '60s'"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(7235409)"))
            await connection.run_sync(migrate)
    return _database(PooledTransactor(engine), engine, exclusive=False, writers=2)


def _database(transactor: Transactor, readers: AsyncEngine, *, exclusive: bool, writers: int) -> Database:
    queries = SqlQueries(readers)
    return Database(
        events=SqlEventStore(transactor),
        log=SqlLogReader(readers),
        leases=SqlLeases(transactor),
        runs=SqlRunReads(queries),
        exclusive=exclusive,
        writers=writers,
        _queries=queries,
    )


def _lock(path: Path) -> TextIO:
    lock = path.with_name(f"{path.name}.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StorageRefused(
            f"Another Branchline server is using {path}. SQLite takes one server; "
            "stop that one, give this one its own BRANCHLINE_DATABASE_URL, or move to PostgreSQL."
        ) from error
    return lock


def _migrate_sqlite(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection)


def _prepare_sqlite(engine: Engine, begin: str, on_connect: OnConnect | None) -> None:
    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, record: object) -> None:
        # The driver must not open transactions by itself: we say BEGIN IMMEDIATE, or two writers could deadlock.
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if on_connect is not None:
            on_connect(dbapi)

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)
