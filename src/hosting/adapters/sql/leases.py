"""Leases on SQL; every comparison of times happens on the database's clock."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, literal_column, or_, select, update

from events.ids import RunId
from events.runs import RunStatus
from hosting.adapters.sql.claims import claim_runs
from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import work_items
from hosting.adapters.sql.tables import leases, runs
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.lease import Lease
from hosting.domain.scope import NodeId

_UNOWNED = (
    select(runs.c.id)
    .outerjoin(leases, leases.c.run_id == runs.c.id)
    .where(
        # In the words of the index of parts: SQLite takes it for nothing else.
        runs.c.status == literal_column(f"'{RunStatus.ACTIVE}'"),
        runs.c.work_item.is_(None),
        or_(leases.c.run_id.is_(None), leases.c.expires_at <= database_now()),
    )
    .order_by(runs.c.number)
)

_OF_WORKERS = select(work_items.c.run_id).where(
    work_items.c.worker_id == leases.c.node, work_items.c.run_id == leases.c.run_id
)
_EXPIRE_NODES = update(leases).where(~_OF_WORKERS.exists()).values(expires_at=0.0)


class SqlLeases:
    """See the door, Leases."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor

    async def unowned(self, limit: int) -> list[RunId]:
        """See Leases.unowned."""
        statement = _UNOWNED.limit(limit)
        return await self._transactor.run(lambda connection: list(connection.scalars(statement)))

    async def claim(self, wanted: Collection[RunId], node: NodeId, seconds: float) -> list[Lease]:
        """See Leases.claim."""
        return await self._transactor.run(lambda connection: claim_runs(connection, wanted, node, seconds))

    async def renew(self, held: Collection[RunId], node: NodeId, seconds: float) -> set[RunId]:
        """See Leases.renew."""
        return await self._transactor.run(lambda connection: _renew(connection, held, node, seconds))

    async def release(self, held: Collection[RunId], node: NodeId) -> None:
        """See Leases.release."""
        dropped = delete(leases).where(leases.c.run_id.in_(held), leases.c.node == node).returning(leases.c.run_id)

        def work(connection: Connection) -> None:
            freed = list(connection.scalars(dropped))
            connection.execute(update(runs).where(runs.c.id.in_(freed)).values(attempts=runs.c.attempts - 1))

        await self._transactor.run(work)

    async def expire_all(self) -> None:
        """See Leases.expire_all."""
        await self._transactor.run(lambda connection: connection.execute(_EXPIRE_NODES))


def _renew(connection: Connection, held: Collection[RunId], node: NodeId, seconds: float) -> set[RunId]:
    # Locked in the order in which ending runs give their leases up, or the two could wait for each other.
    still_held = (
        select(leases.c.run_id)
        .where(leases.c.run_id.in_(held), leases.c.node == node, leases.c.expires_at > database_now())
        .order_by(leases.c.run_id)
        .with_for_update()
    )
    renewed = (
        update(leases)
        .where(leases.c.run_id.in_(still_held))
        .values(expires_at=database_now() + seconds)
        .returning(leases.c.run_id)
    )
    missing = set(held).difference(connection.scalars(renewed))
    if not missing:
        return set()
    active = select(runs.c.id).where(runs.c.id.in_(missing), runs.c.status == RunStatus.ACTIVE)
    return set(connection.scalars(active))
