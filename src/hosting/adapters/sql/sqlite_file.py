"""A SQLite file: its lock, its connections, its migrations."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TextIO

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from hosting.adapters.sql.migrate import migrate
from hosting.domain.errors import StorageRefused

_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON")

OnConnect = Callable[[Any], None]
"""Called with each new DBAPI connection that writes; tests make a disk small with it."""


def lock_file(path: Path) -> TextIO:
    """Take a file for this server alone; closing what is returned, or the end of the process, gives it back.

    Raises:
        StorageRefused: another server has it, or the lock beside it cannot be made.
    """
    # The real file, by whatever name it was called: a link must not lead a second server to it.
    real = path.resolve()
    try:
        lock = real.with_name(f"{real.name}.lock").open("a+")
    except OSError as error:
        raise StorageRefused(f"The folder {path.parent} cannot be written to: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StorageRefused(
            f"Another Branchline server is using {path}. SQLite takes one server; "
            "stop that one, give this one its own BRANCHLINE_DATABASE_URL, or move to PostgreSQL."
        ) from error
    return lock


def sqlite_writer(url: URL, on_connect: OnConnect | None = None) -> Engine:
    """Return an engine for the one thread that writes."""
    engine = create_engine(url.set(drivername="sqlite"), connect_args={"check_same_thread": False})
    _prepare(engine, on_connect)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def sqlite_readers(url: URL, *, threads: int) -> Engine:
    """Return an engine for threads that read, each statement by itself."""
    engine = create_engine(
        url.set(drivername="sqlite"),
        pool_size=threads,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False},
    )
    _prepare(engine, None)
    return engine


def migrate_sqlite(engine: Engine, folder: Path | None = None) -> None:
    """Apply what the file lacks; see `migrate`."""
    with engine.connect() as connection:
        # A migration rebuilds a table by dropping it; with foreign keys on, its children would be deleted with it.
        # Said before BEGIN: inside a transaction the pragma does nothing.
        _switch_foreign_keys(connection, on=False)
        try:
            with connection.begin():
                migrate(connection, folder)
        finally:
            _switch_foreign_keys(connection, on=True)


def _switch_foreign_keys(connection: Connection, *, on: bool) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
    cursor.close()


def _prepare(engine: Engine, on_connect: OnConnect | None) -> None:
    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, record: object) -> None:
        # The driver must not open transactions by itself: we say BEGIN IMMEDIATE, or two writers could deadlock.
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if on_connect is not None:
            on_connect(dbapi)
