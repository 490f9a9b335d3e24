"""Copying tables of one database into another, a few rows at a time."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, insert, select

VERSION_TABLE: Final = "alembic_version"
# A row of the log or of an upload can have a megabyte, and so many are held at once.
_ROWS_AT_ONCE: Final = 16


def tables_of(connection: Connection) -> list[Table]:
    """Return the tables of a database as they are there, each behind those that it refers to."""
    known = MetaData()
    known.reflect(connection)
    return [table for table in known.sorted_tables if table.name != VERSION_TABLE]


def copy_tables(source: Connection, target: Connection, names: Collection[str]) -> None:
    """Copy every row of these tables, which both have; either may have others, of somebody else's."""
    theirs = {table.name: table for table in tables_of(source)}
    for table in tables_of(target):
        if table.name in names:
            _copy(source, theirs[table.name], target, table)


def _copy(source: Connection, theirs: Table, target: Connection, ours: Table) -> None:
    names = [column.name for column in ours.columns]
    wanted = select(*(theirs.c[name] for name in names)).execution_options(yield_per=_ROWS_AT_ONCE)
    put: Any = insert(ours)
    for page in source.execute(wanted).partitions():
        target.execute(put, [dict(zip(names, row, strict=True)) for row in page])
