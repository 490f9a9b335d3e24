"""A SQLite file that nobody else sees yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

# What is amid it at a crash is thrown away anyway; and what could be taken back would be held in memory until the end.
_PRAGMAS: Final = ("auto_vacuum=INCREMENTAL", "journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF")


@contextmanager
def scratch_file(path: Path) -> Iterator[Connection]:
    """Open a file within one transaction, which is committed at the end; when anything fails, the file is worthless."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, record: object) -> None:
        dbapi.isolation_level = None
        for pragma in _PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        yield connection
