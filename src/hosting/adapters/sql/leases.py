"""Leases on SQL; every comparison of times happens on the database's clock."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from events.ids import RunId
from events.runs import RunStatus
from hosting.adapters.sql.dialect import database_now, upsert
from hosting.adapters.sql.rows import to_run
from hosting.adapters.sql.tables import branches, leases, runs
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.lease import Lease
from hosting.domain.scope import NodeId

_UNOWNED = (
    select(runs.c.id)
    .outerjoin(leases, leases.c.run_id == runs.c.id)
    .where(
        runs.c.status == RunStatus.ACTIVE,
        or_(leases.c.run_id.is_(None), leases.c.expires_at <= database_now()),
    )
    .order_by(runs.c.number)
)
_RUN_COLUMNS = (*runs.c, branches.c.session_id, branches.c.id.label("branch_id"))
_COUNT_ATTEMPT = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.status == RunStatus.ACTIVE)
    .values(attempts=runs.c.attempts + 1)
    .returning(runs.c.attempts)
)
_MOVE_FENCE = (
    update(branches)
    .where(branches.c.key == bindparam("branch"))
    .values(fence=branches.c.fence + 1)
    .returning(branches.c.fence)
)


class SqlLeases:
    """See the door, Leases."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor

    async def unowned(self, limit: int) -> list[RunId]:
        """See Leases.unowned."""
        statement = _UNOWNED.limit(limit)
        return await self._transactor.run(lambda connection: list(connection.scalars(statement)))

    async def claim(self, runs: Collection[RunId], node: NodeId, seconds: float) -> list[Lease]:
        """See Leases.claim."""
        return await self._transactor.run(lambda connection: _claim(connection, runs, node, seconds))

    async def renew(self, runs: Collection[RunId], node: NodeId, seconds: float) -> set[RunId]:
        """See Leases.renew."""
        # Locked in the order in which ending runs give their leases up, or the two could wait for each other.
        held = (
            select(leases.c.run_id)
            .where(leases.c.run_id.in_(runs), leases.c.node == node, leases.c.expires_at > database_now())
            .order_by(leases.c.run_id)
            .with_for_update()
        )
        statement = (
            update(leases)
            .where(leases.c.run_id.in_(held))
            .values(expires_at=database_now() + seconds)
            .returning(leases.c.run_id)
        )
        return await self._transactor.run(lambda connection: set(connection.scalars(statement)))

    async def release(self, held: Collection[RunId], node: NodeId) -> None:
        """See Leases.release."""
        dropped = delete(leases).where(leases.c.run_id.in_(held), leases.c.node == node).returning(leases.c.run_id)

        def work(connection: Connection) -> None:
            freed = list(connection.scalars(dropped))
            connection.execute(update(runs).where(runs.c.id.in_(freed)).values(attempts=runs.c.attempts - 1))

        await self._transactor.run(work)

    async def expire_all(self) -> None:
        """See Leases.expire_all."""
        await self._transactor.run(lambda connection: connection.execute(update(leases).values(expires_at=0.0)))


def _claim(connection: Connection, wanted: Collection[RunId], node: NodeId, seconds: float) -> list[Lease]:
    statement = (
        select(*_RUN_COLUMNS)
        .join(branches, branches.c.key == runs.c.branch_key)
        .where(runs.c.id.in_(wanted), runs.c.status == RunStatus.ACTIVE)
        .order_by(runs.c.number)
    )
    claimed: list[Lease] = []
    for row in connection.execute(statement).all():
        with connection.begin_nested() as savepoint:
            lease = _claim_one(connection, row, node, seconds)
            if lease is None:
                savepoint.rollback()
            else:
                claimed.append(lease)
    return claimed


def _claim_one(connection: Connection, row: Row[Any], node: NodeId, seconds: float) -> Lease | None:
    # The branch row first, as every writer does; whoever writes with an older fence is refused from here on.
    fence = connection.scalar(_MOVE_FENCE, {"branch": row.branch_key})
    attempt = connection.scalar(_COUNT_ATTEMPT, {"run": row.id})
    if fence is None or attempt is None or not _take_lease(connection, row, node, fence, seconds):
        return None
    return Lease(run=to_run(row), node=node, fence=fence, attempt=attempt)


def _take_lease(connection: Connection, row: Row[Any], node: NodeId, fence: int, seconds: float) -> bool:
    until = database_now() + seconds
    insert = upsert(connection.dialect, leases).values(
        run_id=row.id, tenant=row.tenant, node=node, fence=fence, expires_at=until
    )
    # Two nodes that want one run meet on this row; whoever comes second finds it taken.
    taken = insert.on_conflict_do_update(
        index_elements=[leases.c.run_id],
        set_={"node": node, "fence": fence, "expires_at": until},
        where=leases.c.expires_at <= database_now(),
    )
    return connection.execute(taken).rowcount > 0
