"""The branches that a branch is related to."""

from typing import Any, cast

from sqlalchemy import Connection, Row, bindparam, select

from hosting.adapters.sql.rows import to_branch
from hosting.adapters.sql.tables import branches
from hosting.domain.branch import Branch

RELATIVES = (
    select(branches)
    .where(
        branches.c.tenant == bindparam("tenant"),
        branches.c.session_id == bindparam("session"),
        branches.c.forked_from.in_(bindparam("sources", expanding=True)),
    )
    .order_by(branches.c.created_at, branches.c.id)
)


def relatives_of(connection: Connection, branch: Branch) -> list[Branch]:
    """Return the forks of a branch and, when it is one itself, those of its source, in order of creation."""
    found = cast("list[Row[Any]]", connection.execute(RELATIVES, sources_of(branch)).all())
    return [to_branch(row) for row in found]


def sources_of(branch: Branch) -> dict[str, object]:
    """Return what RELATIVES takes."""
    scope = branch.scope
    sources = sorted({scope.branch_id, branch.forked_from or scope.branch_id})
    return {"tenant": scope.tenant, "session": scope.session_id, "sources": sources}
