"""A copy of everything that a database holds, made while servers are on it; it is always one SQLite file."""

import asyncio
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hosting.adapters.sql.address import is_sqlite, read_url, sqlite_path
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.migrate import migrate, schema_of
from hosting.adapters.sql.scratch_file import scratch_file
from hosting.adapters.sql.table_copy import VERSION_TABLE, copy_tables, tables_of
from hosting.adapters.sql.whole_file import partial_file, put_in_place
from hosting.domain.errors import StorageRefused

_CONNECT_SECONDS: Final = 10.0
_BUSY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    file: Path
    size_bytes: int


def back_up(url: str, file: Path, *, replace: bool) -> Backup:
    """Copy a database, as it is at one moment, into a file that only its owner may read.

    The file is there when all of it is on the disk, and not before.

    Raises:
        StorageRefused: the address is wrong, there is no database, or the file is there and not to be replaced.
        StorageUnavailable: the database cannot be read now, or the file not be written.
    """
    parsed = read_url(url)
    if file.exists():
        _check_replaceable(file, sqlite_path(parsed) if is_sqlite(parsed) else None, replace=replace)
    with storage_faults(), partial_file(file) as partial:
        if is_sqlite(parsed):
            _copy_sqlite(sqlite_path(parsed), partial)
        else:
            asyncio.run(_copy_postgres(parsed, partial))
        _drop_deleted_contents(partial)
        put_in_place(partial, file, replace=replace)
    return Backup(file, file.stat().st_size)


def _check_replaceable(file: Path, source: Path | None, *, replace: bool) -> None:
    if not replace:
        raise StorageRefused(f"{file} is there already; --force replaces it.")
    if source is not None and source.exists() and file.samefile(source):
        raise StorageRefused(f"{file} is the database itself; a backup of it needs a file of its own.")
    real = file.resolve()
    if real.with_name(f"{real.name}-wal").exists():
        # Whoever has it open would go on writing to a file that has no name any more.
        raise StorageRefused(f"{file} is a database that is in use, or was when its server died; name another file.")


def copy_sqlite(source: Path, into: Path) -> None:
    """Copy a SQLite database, as it is at one moment, into an empty file.

    What was deleted from it is not in the copy.

    Raises:
        StorageRefused: it is none.
        OSError: the disk is full.
    """
    if not source.is_file():
        raise StorageRefused(f"There is no file {source}.")
    try:
        with closing(_reading(source)) as connection:
            connection.execute("VACUUM INTO ?", (os.fspath(into),))
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise StorageRefused(f"{source} cannot be read as a SQLite database: {error}.") from error


def _copy_sqlite(source: Path, into: Path) -> None:
    copy_sqlite(source, into)
    with closing(_reading(into)) as copied:
        if not copied.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall():
            raise StorageRefused(f"{source} is no database of Branchline's.")


def _drop_deleted_contents(copy: Path) -> None:
    """Let go of the bytes of uploads that were deleted, which servers remove piece by piece, and some time later."""
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'content_chunks'").fetchall():
                return
            dropped = connection.execute("DELETE FROM content_chunks WHERE content_id NOT IN (SELECT id FROM contents)")
            if dropped.rowcount:
                # Until then they are in pages that are not used any more.
                connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def _reading(path: Path) -> sqlite3.Connection:
    # To open a file that is not there for writing would make it.
    address = f"{path.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)


async def _copy_postgres(url: URL, into: Path) -> None:
    engine = create_async_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        # One picture of everything, whatever is written meanwhile.
        isolation_level="REPEATABLE READ",
        connect_args={"timeout": _CONNECT_SECONDS, "server_settings": {"application_name": "branchline backup"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_copy_all, into)


def _copy_all(source: Connection, into: Path) -> None:
    schema = schema_of(source)
    source.rollback()
    if schema is None:
        raise StorageRefused("The database is none of Branchline's: it has no tables of ours.")
    with scratch_file(into) as target:
        migrate(target, upto=schema)
        names = [table.name for table in tables_of(target)]
        _hold_still(source, schema, names)
        copy_tables(source, target, names)


def _hold_still(source: Connection, schema: str, names: list[str]) -> None:
    """Keep the form of the tables as it is while they are read.

    Before anything else is seen by the transaction: what it sees is settled then.
    """
    source.execute(text("SET TRANSACTION READ ONLY"))
    source.execute(text(f"LOCK TABLE {', '.join((VERSION_TABLE, *names))} IN ACCESS SHARE MODE"))
    if schema_of(source) != schema:
        raise StorageRefused("The database's tables are just being brought up to date; try again in a moment.")
