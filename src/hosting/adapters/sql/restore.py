"""A backup becomes a database again, of either kind."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, Table, func, literal, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hosting.adapters.sql.address import is_sqlite, read_url, sqlite_path
from hosting.adapters.sql.backup import copy_sqlite
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.file_swap import has_rows, swap
from hosting.adapters.sql.migrate import migrate, schema_of
from hosting.adapters.sql.new_lives import begin_new_lives
from hosting.adapters.sql.our_tables import OUR_TABLES
from hosting.adapters.sql.postgres_server import migrate_postgres
from hosting.adapters.sql.scratch_file import scratch_file
from hosting.adapters.sql.sqlite_file import lock_file
from hosting.adapters.sql.table_copy import copy_tables, tables_of
from hosting.adapters.sql.tables import branches, sessions
from hosting.adapters.sql.whole_file import partial_file
from hosting.domain.errors import LogCorrupt, StorageRefused

_CONNECT_SECONDS: Final = 10.0
_TRIES: Final = 20
_TRY_SECONDS: Final = 0.1
_TAKEN: Final = "The database is not empty, and what is in it would be lost; --force replaces it."
_SERVED: Final = "A Branchline server is on the database; stop all of them first."
_SERVERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'branchline'"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; `aside` is where the SQLite file lies that was there before."""

    sessions: int
    branches: int
    aside: Path | None = None


def restore(file: Path, url: str, *, force: bool, aside: str) -> Restored:
    """Put what a backup holds into a database, whole or not at all, with new epochs.

    A SQLite file that is replaced is kept beside the new one; `aside` is what its name gets added.

    Raises:
        StorageRefused: there is no backup that can be read, servers are on the database, or it is not empty and
            nobody said to `force` it.
        StorageUnavailable: the database cannot be reached, or a disk is full.
    """
    parsed = read_url(url)
    with storage_faults():
        if is_sqlite(parsed):
            return _into_sqlite(file, sqlite_path(parsed), aside, force=force)
        return _into_postgres(file, parsed, force=force)


def _into_sqlite(file: Path, path: Path, aside: str, *, force: bool) -> Restored:
    real = path.resolve()
    with closing(lock_file(real)):
        if real.exists() and not force and has_rows(real, OUR_TABLES):
            raise StorageRefused(_TAKEN)
        with partial_file(real) as partial:
            restored = _made_ready(file, partial)
            return replace(restored, aside=swap(partial, real, aside))


def _into_postgres(file: Path, url: URL, *, force: bool) -> Restored:
    asyncio.run(_visit(url, lambda connection: None if schema_of(connection) is None else _check(connection, force)))
    with tempfile.TemporaryDirectory(prefix="branchline-restore-") as folder:
        made = Path(folder, "restored.db")
        made.touch()
        restored = _made_ready(file, made)
        asyncio.run(migrate_postgres(url))
        asyncio.run(_visit(url, lambda connection: _load(connection, made, force)))
    return restored


async def _visit(url: URL, errand: Callable[[Connection], None]) -> None:
    engine = create_async_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": _CONNECT_SECONDS, "server_settings": {"application_name": "branchline restore"}},
    )
    async with engine.begin() as connection:
        await connection.run_sync(errand)


def _load(connection: Connection, made: Path, force: bool) -> None:  # noqa: FBT001 - handed on by `run_sync`
    """Put everything into a PostgreSQL database, in place of all of ours that is there."""
    with scratch_file(made) as source:
        # Of the backup's as of the database's: somebody else's may be beside them in either.
        names = [table.name for table in tables_of(source) if table.name in OUR_TABLES]
        # Nobody sees anything of it before the end, nor begins anything meanwhile.
        connection.execute(text(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE"))
        _check(connection, force)
        connection.execute(text(f"TRUNCATE {', '.join(names)}"))
        copy_tables(source, connection, names)
    for table in tables_of(connection):
        if table.name in names and table.autoincrement_column is not None:
            _go_on_counting(connection, table, table.autoincrement_column)


def _check(connection: Connection, force: bool) -> None:  # noqa: FBT001 - as above
    tries = 0
    while _has_servers(connection):
        # One that was killed is there until PostgreSQL notices.
        tries += 1
        if tries > _TRIES:
            raise StorageRefused(_SERVED)
        connection.execute(select(func.pg_sleep(_TRY_SECONDS)))
    ours = [table for table in tables_of(connection) if table.name in OUR_TABLES]
    if not force and any(connection.execute(select(literal(1)).select_from(table).limit(1)).first() for table in ours):
        raise StorageRefused(_TAKEN)


def _has_servers(connection: Connection) -> bool:
    # Or a transaction would be told for ever what it was told first.
    connection.execute(select(func.pg_stat_clear_snapshot()))
    return bool(connection.scalar(_SERVERS))


def _go_on_counting(connection: Connection, table: Table, column: Column[int]) -> None:
    """Let the next row get the number behind the last one's."""
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    last = connection.scalar(select(func.max(column)))
    if last is not None:
        connection.execute(select(func.setval(sequence, last)))


def _made_ready(file: Path, partial: Path) -> Restored:
    """Copy a backup into an empty file, in which it gets the newest schema and new epochs."""
    copy_sqlite(file, partial)
    with scratch_file(partial) as connection:
        if schema_of(connection) is None:
            raise StorageRefused(f"{file} is no backup of Branchline's.")
        migrate(connection)
        try:
            begin_new_lives(connection)
        except LogCorrupt as error:
            raise StorageRefused(f"{file} is damaged: {error}") from error
        count = select(func.count())
        return Restored(
            connection.scalar(count.select_from(sessions)) or 0, connection.scalar(count.select_from(branches)) or 0
        )
