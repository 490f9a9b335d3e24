"""A SQLite file: its lock, its connections, its migrations."""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from hosting.adapters.sql.migrate import migrate
from hosting.domain.errors import StorageRefused

_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON")

_TRIES: Final = 10

OnConnect = Callable[[Any], None]
"""Called with each new DBAPI connection that writes; tests make a disk small with it."""


class FileLock:
    """A file taken for this server alone; closing it, or the end of the process, gives it back."""

    def __init__(self, handle: TextIO, path: Path) -> None:
        self._handle = handle
        self._path = path

    def close(self) -> None:
        """Give the file back, and leave no lock file behind.

        It is removed while it is still held, and whoever takes a lock looks whether it is still the one that the
        folder shows: without either, two servers could hold two files that had one name.
        """
        if _is_shown(self._handle, self._path):
            with suppress(OSError):
                self._path.unlink()
        self._handle.close()


def lock_file(path: Path) -> FileLock:
    """Take a file for this server alone.

    Raises:
        StorageRefused: another server has it, or the lock beside it cannot be made.
    """
    beside = _beside(path, ".lock")
    for _ in range(_TRIES):
        handle = _locked(beside, path)
        if _is_shown(handle, beside):
            return FileLock(handle, beside)
        # Its last owner removed it between our opening and our locking it.
        handle.close()
    raise StorageRefused(_taken(path))


def key_file_of(path: Path) -> Path:
    """Return where the keys that belong to a file lie."""
    return _beside(path, ".keys")


def _beside(path: Path, ending: str) -> Path:
    # Of the real file, by whatever name it was called: a link must not lead to a second lock, or to other keys.
    real = Path(os.path.realpath(path))
    return real.with_name(f"{real.name}{ending}")


def _locked(beside: Path, path: Path) -> TextIO:
    try:
        handle = beside.open("a+")
    except OSError as error:
        raise StorageRefused(f"The lock file {beside} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise StorageRefused(_taken(path)) from error
    except OSError as error:
        handle.close()
        raise StorageRefused(f"The lock file {beside} cannot be locked: {error.strerror}.") from error
    return handle


def _is_shown(handle: TextIO, path: Path) -> bool:
    """Say whether the folder still shows the file that is open."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except OSError:
        return False


def _taken(path: Path) -> str:
    return (
        f"Another Branchline server is using {path}. SQLite takes one server; "
        "stop that one, give this one its own BRANCHLINE_DATABASE_URL, or move to PostgreSQL."
    )


def sqlite_writer(url: URL, on_connect: OnConnect | None = None) -> Engine:
    """Return an engine for the one thread that writes."""
    # An error would show what somebody said, and the log has it then.
    engine = create_engine(
        url.set(drivername="sqlite"), hide_parameters=True, connect_args={"check_same_thread": False}
    )
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
        hide_parameters=True,
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
        if cursor.execute("PRAGMA page_count").fetchone() == (0,):
            # Of a file that has nothing in it yet. Said of any other it would be a write, and wait for whoever writes.
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if on_connect is not None:
            on_connect(dbapi)
