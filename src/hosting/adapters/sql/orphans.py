"""Rows that belong to rows which are not there, and counts that do not count what is there."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, ForeignKeyConstraint, MetaData, and_, func, select
from sqlalchemy.sql import Select

from events.runs import RunStatus
from hosting.adapters.sql.finding import Finding, FindingKind, Findings
from hosting.adapters.sql.our_tables import OUR_TABLES
from hosting.adapters.sql.tables import branches, runs

_MOST: Final = 1_000

_source = branches.alias("source")
_FORKS: Final = (
    select(branches.c.tenant, branches.c.session_id, branches.c.id, branches.c.forked_from)
    .outerjoin(
        _source,
        and_(
            _source.c.tenant == branches.c.tenant,
            _source.c.session_id == branches.c.session_id,
            _source.c.id == branches.c.forked_from,
        ),
    )
    .where(branches.c.forked_from.is_not(None), _source.c.key.is_(None))
    .limit(_MOST)
)
_waiting = (
    select(runs.c.branch_key, func.count().label("waiting"))
    .where(runs.c.status == RunStatus.QUEUED)
    .group_by(runs.c.branch_key)
    .subquery("waiting")
)
_QUEUES: Final = (
    select(
        branches.c.tenant,
        branches.c.session_id,
        branches.c.id,
        branches.c.queue_length,
        func.coalesce(_waiting.c.waiting, 0).label("waiting"),
    )
    .outerjoin(_waiting, _waiting.c.branch_key == branches.c.key)
    .where(branches.c.queue_length != func.coalesce(_waiting.c.waiting, 0))
    .limit(_MOST)
)


def check_rows(connection: Connection) -> Findings:
    """Tell what rows are on their own; each question is asked of one snapshot."""
    for table, constraint, statement in _orphans(connection):
        for row in _asked(connection, statement):
            place = f"{table} {' '.join(str(value) for value in row)}"[:200]
            yield Finding(FindingKind.ROW_ORPHAN, place, f"its row in {constraint.referred_table.name} is missing")
    for fork in _asked(connection, _FORKS):
        place = f"{fork.tenant}/{fork.session_id}/{fork.id}"
        yield Finding(FindingKind.FORK_ORPHAN, place, f"its source {fork.forked_from} is missing")
    for branch in _asked(connection, _QUEUES):
        place = f"{branch.tenant}/{branch.session_id}/{branch.id}"
        detail = f"its queue has {branch.waiting} runs, and it says {branch.queue_length}"
        yield Finding(FindingKind.QUEUE, place, detail)


def _asked(connection: Connection, statement: Select[Any]) -> list[Any]:
    with connection.begin():
        return list(connection.execute(statement).all())


def _orphans(connection: Connection) -> Iterator[tuple[str, ForeignKeyConstraint, Select[Any]]]:
    """Yield for each foreign key of each table what asks for rows that have no parent."""
    metadata = MetaData()
    with connection.begin():
        metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name not in OUR_TABLES:
            # Whoever shares the database with us looks after their own.
            continue
        for constraint in sorted(table.foreign_key_constraints, key=lambda one: str(one.name)):
            parent = constraint.referred_table.alias("parent")
            pairs = [(table.c[key.parent.name], parent.c[key.column.name]) for key in constraint.elements]
            statement = (
                select(*table.primary_key.columns)
                .outerjoin(parent, and_(*(mine == theirs for mine, theirs in pairs)))
                .where(*(mine.is_not(None) for mine, _ in pairs), pairs[0][1].is_(None))
                .limit(_MOST)
            )
            yield table.name, constraint, statement
