"""The transactions that give work items to workers; every comparison of times happens on the database's clock.

Locks are taken in one order: the worker, items that wait, branches, leases. What is locked by others is passed over
where waiting for it could deadlock.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, literal_column, or_, select, update
from sqlalchemy.sql import ColumnElement

from events.ids import RunId
from hosting.adapters.sql.claims import claim_runs, in_order
from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import work_items, workers
from hosting.adapters.sql.interrupts import LOCK_BRANCH, OF_RUNS, to_interrupt
from hosting.adapters.sql.rows import to_message, to_run
from hosting.adapters.sql.tables import branches, leases, messages, runs
from hosting.adapters.sql.work_items import ITEMS, to_item
from hosting.domain.lease import Lease
from hosting.domain.message import Message
from hosting.domain.scope import NodeId
from hosting.domain.work_item import ENDED, HELD, Holding, WorkItem, WorkItemId, WorkReport, WorkState
from hosting.domain.worker import Worker
from hosting.ports.work import Claim


def in_states(*states: WorkState) -> ColumnElement[bool]:
    """Select items in these states, in the words of the indices of parts: SQLite takes one for nothing else."""
    written: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in states]
    return work_items.c.state == written[0] if len(written) == 1 else work_items.c.state.in_(written)


LOCK_WORKER: Final = select(workers.c.id).where(workers.c.id == bindparam("worker")).with_for_update()
_HAS: Final = (
    select(func.count()).select_from(work_items).where(work_items.c.worker_id == bindparam("worker"), in_states(*HELD))
)
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
# No further claim: what was relayed and delivered under the old name is not taken, nor given, again.
_MOVE: Final = (
    update(work_items)
    .where(work_items.c.id == bindparam("item"))
    .values(
        worker_id=bindparam("worker"),
        claimed_at=bindparam("at"),
        updated_at=bindparam("at"),
    )
)
_MOVE_FENCE: Final = (
    update(branches)
    .where(branches.c.key == bindparam("branch"), branches.c.fence == bindparam("old"))
    .values(fence=branches.c.fence + 1)
    .returning(branches.c.fence)
)
_LAST_ENDED: Final = (
    select(func.max(work_items.c.number))
    .where(work_items.c.branch_key.in_(bindparam("keys", expanding=True)), in_states(*ENDED))
    .group_by(work_items.c.branch_key, work_items.c.agent_id)
)
_REPORTS: Final = select(work_items.c.branch_key, work_items.c.agent_id, work_items.c.report).where(
    work_items.c.number.in_(_LAST_ENDED)
)
_RUN: Final = (
    select(*runs.c, branches.c.session_id, branches.c.id.label("branch_id"))
    .join(branches, branches.c.key == runs.c.branch_key)
    .where(runs.c.id == bindparam("run"))
)
_OF_RUN: Final = select(messages).where(messages.c.run_id == bindparam("run"))
_NOW: Final = select(database_now())


def claim_items(
    connection: Connection, worker: Worker, most: int, seconds: float, only: WorkItemId | None
) -> list[Claim]:
    """Claim in the order of scores; two polls of one worker wait for each other, those of two take different items."""
    if connection.scalar(LOCK_WORKER, {"worker": worker.id}) is None:
        # It has just gone, and would never give back what it got now.
        return []
    room = min(most, worker.capacity - (connection.scalar(_HAS, {"worker": worker.id}) or 0))
    if room <= 0:
        return []
    wanted = {row.run_id: row.branch_key for row in connection.execute(_wanted(worker, room, only))}
    # A branch that is being written to is left for the next poll: to wait for it, with items locked, could deadlock.
    free = set(connection.scalars(_FREE_BRANCHES, {"keys": sorted(wanted.values())})) if wanted else set()
    chosen = [run_id for run_id, key in wanted.items() if key in free]
    granted = claim_runs(connection, chosen, NodeId(worker.id), seconds) if chosen else []
    if not granted:
        return []
    leases_of = {lease.run.id: lease for lease in granted}
    connection.execute(_GIVE, {"wanted": sorted(leases_of), "worker": worker.id, "at": _ticks(connection)})
    given = _given(connection, leases_of)
    return [Claim(given[run_id], leases_of[run_id]) for run_id in chosen if run_id in leases_of]


def take_item(connection: Connection, holding: Holding) -> Claim | None:
    """Move the fence of an item that a worker has."""
    named = work_items.c.tenant == holding.tenant, work_items.c.id == holding.item_id
    found = connection.execute(ITEMS.where(*named)).first()
    if found is None:
        return None
    connection.execute(LOCK_BRANCH, {"branch": found.branch_key})
    # Read once more, behind whatever another node was writing: a worker that has begun there must not begin again.
    held = connection.execute(ITEMS.where(*named)).one()
    # A node that ends the run has its lease, while the item is still its worker's.
    if held.state not in HELD or not held.worker_id == held.node == holding.worker_id:
        return None
    fence = connection.scalar(_MOVE_FENCE, {"branch": held.branch_key, "old": held.fence})
    if fence is None:
        return None
    connection.execute(update(leases).where(leases.c.run_id == held.run_id).values(fence=fence))
    return Claim(replace(to_item(held), fence=fence), _lease(connection, held.run_id, NodeId(holding.worker_id), fence))


def move_item(connection: Connection, holding: Holding, worker: Worker, seconds: float) -> Claim | None:
    """Give an item that one worker has to another, which goes on where the first one was."""
    if connection.scalar(LOCK_WORKER, {"worker": worker.id}) is None:
        return None
    taken = take_item(connection, holding)
    if taken is None:
        return None
    until = {"node": worker.id, "expires_at": database_now() + seconds}
    connection.execute(update(leases).where(leases.c.run_id == taken.item.run_id).values(until))
    connection.execute(_MOVE, {"item": holding.item_id, "worker": worker.id, "at": _ticks(connection)})
    moved = to_item(connection.execute(ITEMS.where(work_items.c.id == holding.item_id)).one())
    return Claim(moved, replace(taken.lease, node=NodeId(worker.id)))


def input_of(connection: Connection, run_id: RunId) -> tuple[Message, ...]:
    """Return the messages that started a run, in their order."""
    row = connection.execute(_RUN, {"run": run_id}).first()
    return () if row is None else _input(connection, cast("Row[Any]", row))


def _wanted(worker: Worker, room: int, only: WorkItemId | None) -> Any:
    """Select what a worker may have; what is for no project is for everyone."""
    c = work_items.c
    allowed = [c.tenant == worker.tenant, in_states(WorkState.PENDING)]
    if worker.admitted:
        allowed.append(or_(c.project.is_(None), c.project.in_(sorted(worker.admitted))))
    if worker.agents:
        allowed.append(or_(c.agent_id.in_(worker.agents), c.agent_name.in_(worker.agents)))
    # Who asks for one by its name is not going round in circles.
    allowed.append(_not_refused(worker) if only is None else c.id == only)
    found = select(c.run_id, c.branch_key).where(*allowed).order_by(c.score, c.number).limit(room)
    return found.with_for_update(skip_locked=True)


def _not_refused(worker: Worker) -> ColumnElement[bool]:
    c = work_items.c
    return or_(c.refused_by.is_(None), c.refused_by != worker.id, c.refused_until <= database_now())


def _given(connection: Connection, run_ids: Collection[RunId]) -> dict[RunId, WorkItem]:
    found = connection.execute(ITEMS.where(work_items.c.run_id.in_(run_ids)))
    items = [to_item(row) for row in found]
    # A provider's session is where its worker is, or was: with a worker that was lost, it is lost too.
    fresh = [item for item in items if item.attempts == 0]
    earlier = _earlier_sessions(connection, fresh) if fresh else {}
    return {
        item.run_id: replace(item, continues=earlier.get((item.branch_key, item.agent_id)) if item in fresh else None)
        for item in items
    }


def _earlier_sessions(connection: Connection, items: Iterable[WorkItem]) -> dict[tuple[int, str], str]:
    """Return the provider's session in which each agent's last item of each branch was done."""
    found = connection.execute(_REPORTS, {"keys": [item.branch_key for item in items]})
    reports = ((row, msgspec.json.decode(row.report, type=WorkReport)) for row in found)
    return {
        (row.branch_key, row.agent_id): report.provider_session_id
        for row, report in reports
        if report.provider_session_id
    }


def _lease(connection: Connection, run_id: RunId, node: NodeId, fence: int) -> Lease:
    row = cast("Row[Any]", connection.execute(_RUN, {"run": run_id}).one())
    return Lease(
        run=to_run(row),
        input=_input(connection, row),
        node=node,
        fence=fence,
        attempt=row.attempts,
        interrupts=tuple(to_interrupt(each) for each in connection.execute(OF_RUNS, {"wanted": [run_id]})),
    )


def _input(connection: Connection, row: Row[Any]) -> tuple[Message, ...]:
    run = to_run(row)
    said = {each.id: to_message(each) for each in connection.execute(_OF_RUN, {"run": run.id})}
    return in_order(run, said)


def _ticks(connection: Connection) -> int:
    return int((connection.scalar(_NOW) or 0) * 1_000_000)
