"""The few places where SQLite and PostgreSQL say the same thing in other words."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Float,
    FromClause,
    String,
    Table,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import compiler, expression

T = TypeVar("T")

POSTGRESQL: Final = "postgresql"
_PARAMETERS: Final = 10_000


class database_now(expression.FunctionElement[float]):  # noqa: N801 - reads as the SQL function it is
    """Seconds since 1970 on the database's clock; leases live by it."""

    type = Float(53)
    inherit_cache = True
    name = "database_now"


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: compiler.SQLCompiler, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, POSTGRESQL)
def _postgresql_now(element: database_now, compiler: compiler.SQLCompiler, **kw: Any) -> str:
    return "(EXTRACT(EPOCH FROM clock_timestamp())::double precision)"


@cache
def insert_if_absent(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Insert a row unless a unique index has it already; the row count tells which it was."""
    insert = postgresql.insert if dialect == POSTGRESQL else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def upsert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Begin an insert that can go on with `on_conflict_do_update`."""
    return postgresql.insert(table) if dialect.name == POSTGRESQL else sqlite.insert(table)


def number_rows(dialect: Dialect, *names: str) -> FromClause:
    """Return a table of whole numbers given as one JSON text, bound as `rows`: an array of arrays, a column a name."""
    if dialect.name == POSTGRESQL:
        each = func.jsonb_array_elements(cast(bindparam("rows", type_=String), postgresql.JSONB)).table_valued("value")
        read: list[ColumnElement[Any]] = [
            cast(func.jsonb_extract_path_text(each.c.value, str(index)), BigInteger).label(name)
            for index, name in enumerate(names)
        ]
        return select(*read).select_from(each).subquery("given")
    each = func.json_each(bindparam("rows", type_=String)).table_valued("value")
    read = [func.json_extract(each.c.value, f"$[{index}]").label(name) for index, name in enumerate(names)]
    return select(*read).select_from(each).subquery("given")


def slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut values into pieces that fit into one statement: PostgreSQL takes 32 767 parameters."""
    for start in range(0, len(values), _PARAMETERS):
        yield values[start : start + _PARAMETERS]
