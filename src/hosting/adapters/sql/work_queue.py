"""The fleet's work on SQL; every comparison of times happens on the database's clock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select, update

from events.ids import RunId
from events.runs import RunStatus
from hosting.adapters.sql.claims import claim_runs, in_order
from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import work_items, workers
from hosting.adapters.sql.interrupts import OF_RUNS, to_interrupt
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.rows import to_message, to_run
from hosting.adapters.sql.tables import branches, interrupts, leases, messages, runs
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.work_items import ITEMS, to_item
from hosting.domain.lease import Lease
from hosting.domain.scope import NodeId, TenantId
from hosting.domain.work_item import HELD, Holding, WorkerId, WorkItem, WorkItemId, WorkState
from hosting.domain.worker import Worker
from hosting.ports.work import Claim

_HELD: Final = work_items.c.state.in_(HELD)
_LOCK_WORKER: Final = select(workers.c.id).where(workers.c.id == bindparam("worker")).with_for_update()
_HAS: Final = select(func.count()).select_from(work_items).where(work_items.c.worker_id == bindparam("worker"), _HELD)
_FREE_BRANCHES: Final = (
    select(branches.c.key)
    .where(branches.c.key.in_(bindparam("keys", expanding=True)))
    .with_for_update(skip_locked=True)
)
_GIVE: Final = (
    update(work_items)
    .where(work_items.c.run_id.in_(bindparam("wanted", expanding=True)))
    .values(
        state=WorkState.CLAIMED,
        worker_id=bindparam("worker"),
        claim=work_items.c.claim + 1,
        claimed_at=bindparam("at"),
        updated_at=bindparam("at"),
    )
)
_NOW_TICKS: Final = select(database_now())


class SqlWorkQueue:
    """See the door, WorkQueue."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def claim(self, worker: Worker, most: int, seconds: float) -> list[Claim]:
        """See WorkQueue.claim."""
        return await self._transactor.run(lambda connection: _claim(connection, worker, most, seconds))

    async def take(self, holding: Holding) -> Claim | None:
        """See WorkQueue.take."""
        return await self._transactor.run(lambda connection: _take(connection, holding))

    async def renew(self, tenant: TenantId, worker_id: WorkerId, seconds: float) -> None:
        """See WorkQueue.renew."""
        mine = select(leases.c.run_id).where(leases.c.node == worker_id, leases.c.tenant == tenant)
        # In the order in which ending runs give their leases up, or the two could wait for each other.
        locked = mine.order_by(leases.c.run_id).with_for_update()
        renewed = update(leases).where(leases.c.run_id.in_(locked)).values(expires_at=database_now() + seconds)
        await self._transactor.run(lambda connection: connection.execute(renewed))

    async def item(self, tenant: TenantId, item_id: WorkItemId) -> WorkItem | None:
        """See WorkQueue.item."""
        wanted = ITEMS.where(work_items.c.tenant == tenant, work_items.c.id == item_id)
        return next(map(to_item, await rows(self._reading, wanted)), None)

    async def held(self, tenant: TenantId, worker_id: WorkerId) -> list[WorkItem]:
        """See WorkQueue.held."""
        mine = ITEMS.where(work_items.c.tenant == tenant, work_items.c.worker_id == worker_id, _HELD)
        return [to_item(row) for row in await rows(self._reading, mine.order_by(work_items.c.claimed_at))]

    async def pending(self, tenant: TenantId) -> int:
        """See WorkQueue.pending."""
        count = select(func.count()).select_from(work_items)
        offered = count.where(work_items.c.tenant == tenant, work_items.c.state == WorkState.PENDING)
        return int((await rows(self._reading, offered))[0][0])

    async def lapsed(self, limit: int) -> Sequence[WorkItem]:
        """See WorkQueue.lapsed."""
        gone = or_(leases.c.expires_at <= database_now(), leases.c.run_id.is_(None))
        lost = ITEMS.where(_HELD, gone).order_by(work_items.c.number).limit(limit)
        return [to_item(row) for row in await rows(self._reading, lost)]

    async def unwanted(self, limit: int) -> Sequence[WorkItem]:
        """See WorkQueue.unwanted."""
        stopped = select(interrupts.c.run_id).where(interrupts.c.run_id == work_items.c.run_id, interrupts.c.flow == "")
        left = and_(
            or_(work_items.c.state == WorkState.DEAD, stopped.exists()),
            or_(
                leases.c.run_id.is_(None),
                leases.c.node == work_items.c.worker_id,
                # The node that was ending it has died.
                leases.c.expires_at <= database_now(),
            ),
        )
        unended = (
            ITEMS.join(runs, runs.c.id == work_items.c.run_id)
            .where(runs.c.status == RunStatus.ACTIVE, left)
            .order_by(work_items.c.number)
            .limit(limit)
        )
        return [to_item(row) for row in await rows(self._reading, unended)]

    async def reclaim(self, items: Collection[WorkItemId]) -> None:
        """See WorkQueue.reclaim."""
        given_up = select(work_items.c.run_id).where(work_items.c.id.in_(items))
        lapse = update(leases).where(leases.c.run_id.in_(given_up.order_by(work_items.c.run_id))).values(expires_at=0.0)
        await self._transactor.run(lambda connection: connection.execute(lapse))


def _claim(connection: Connection, worker: Worker, most: int, seconds: float) -> list[Claim]:
    """Claim in the order of scores; two polls of one worker wait for each other, those of two take different items."""
    connection.execute(_LOCK_WORKER, {"worker": worker.id})
    has = connection.scalar(_HAS, {"worker": worker.id}) or 0
    room = min(most, worker.capacity - has)
    if room <= 0:
        return []
    wanted = {row.run_id: row.branch_key for row in connection.execute(_wanted(worker, room))}
    # A branch that is being written to is left for the next poll: to wait for it, with items locked, could deadlock.
    free = set(connection.scalars(_FREE_BRANCHES, {"keys": sorted(wanted.values())})) if wanted else set()
    chosen = [run_id for run_id, key in wanted.items() if key in free]
    granted = claim_runs(connection, chosen, NodeId(worker.id), seconds) if chosen else []
    if not granted:
        return []
    leases_of = {lease.run.id: lease for lease in granted}
    at = int((connection.scalar(_NOW_TICKS) or 0) * 1_000_000)
    connection.execute(_GIVE, {"wanted": sorted(leases_of), "worker": worker.id, "at": at})
    given = _items(connection, leases_of)
    return [Claim(given[run_id], leases_of[run_id]) for run_id in chosen if run_id in leases_of]


def _wanted(worker: Worker, room: int) -> Any:
    """Select what a worker may have; what is for no project is for everyone."""
    c = work_items.c
    allowed = [c.tenant == worker.tenant, c.state == WorkState.PENDING]
    if worker.admitted:
        allowed.append(or_(c.project.is_(None), c.project.in_(sorted(worker.admitted))))
    if worker.agents:
        allowed.append(or_(c.agent_id.in_(worker.agents), c.agent_name.in_(worker.agents)))
    allowed.append(or_(c.refused_by.is_(None), c.refused_by != worker.id, c.refused_until <= database_now()))
    found = select(c.run_id, c.branch_key).where(*allowed).order_by(c.score, c.number).limit(room)
    return found.with_for_update(skip_locked=True)


def _items(connection: Connection, run_ids: Collection[RunId]) -> Mapping[RunId, WorkItem]:
    found = connection.execute(ITEMS.where(work_items.c.run_id.in_(run_ids)))
    return {row.run_id: to_item(row) for row in found}


def _take(connection: Connection, holding: Holding) -> Claim | None:
    named = work_items.c.tenant == holding.tenant, work_items.c.id == holding.item_id
    held = connection.execute(ITEMS.where(*named)).first()
    if held is None or held.worker_id != holding.worker_id or held.state not in HELD or held.fence is None:
        return None
    moved = (
        update(branches)
        .where(branches.c.key == held.branch_key, branches.c.fence == held.fence)
        .values(fence=branches.c.fence + 1)
        .returning(branches.c.fence)
    )
    fence = connection.scalar(moved)
    if fence is None:
        return None
    connection.execute(update(leases).where(leases.c.run_id == held.run_id).values(fence=fence))
    return Claim(replace(to_item(held), fence=fence), _lease(connection, held.run_id, NodeId(holding.worker_id), fence))


def _lease(connection: Connection, run_id: RunId, node: NodeId, fence: int) -> Lease:
    found = (
        select(*runs.c, branches.c.session_id, branches.c.id.label("branch_id"))
        .join(branches, branches.c.key == runs.c.branch_key)
        .where(runs.c.id == run_id)
    )
    row = cast("Row[Any]", connection.execute(found).one())
    run = to_run(row)
    said = {each.id: to_message(each) for each in connection.execute(_OF_RUN, {"run": run_id})}
    return Lease(
        run=run,
        input=in_order(run, said),
        node=node,
        fence=fence,
        attempt=row.attempts,
        interrupts=tuple(to_interrupt(each) for each in connection.execute(OF_RUNS, {"wanted": [run_id]})),
    )


_OF_RUN: Final = select(messages).where(messages.c.run_id == bindparam("run"))
