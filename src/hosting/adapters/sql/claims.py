"""The transaction that gives runs to a node."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from sqlalchemy import BindParameter, Connection, Float, Row, bindparam, insert, or_, select, update

from events.ids import MessageId, RunId
from events.runs import RunStatus
from hosting.adapters.sql.dialect import database_now, upsert
from hosting.adapters.sql.interrupts import OF_RUNS, to_interrupt
from hosting.adapters.sql.rows import to_message, to_run
from hosting.adapters.sql.tables import branches, leases, messages, runs
from hosting.domain.lease import Holder, Lease
from hosting.domain.message import Message
from hosting.domain.run import Run
from hosting.domain.scope import BranchKey, NodeId, TenantId

_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_FREE = or_(leases.c.run_id.is_(None), leases.c.expires_at <= database_now())

_LOCK_BRANCHES = (
    select(branches.c.key)
    .where(branches.c.key.in_(select(runs.c.branch_key).where(runs.c.id.in_(_WANTED))))
    .order_by(branches.c.key)
    .with_for_update()
)
_LOCK_LEASES = select(leases.c.run_id).where(leases.c.run_id.in_(_WANTED)).order_by(leases.c.run_id).with_for_update()
_CLAIMABLE = (
    select(*runs.c, branches.c.session_id, branches.c.id.label("branch_id"))
    .join(branches, branches.c.key == runs.c.branch_key)
    .outerjoin(leases, leases.c.run_id == runs.c.id)
    .where(runs.c.id.in_(_WANTED), runs.c.status == RunStatus.ACTIVE, _FREE)
    .order_by(runs.c.number)
)
_MOVE_FENCES = (
    update(branches)
    .where(branches.c.key.in_(_KEYS))
    .values(fence=branches.c.fence + 1)
    .returning(branches.c.key, branches.c.fence)
)
_COUNT_ATTEMPTS = update(runs).where(runs.c.id.in_(_WANTED)).values(attempts=runs.c.attempts + 1)
_FIRST_LEASE = insert(leases).values(expires_at=database_now() + bindparam("seconds", type_=Float))
_INPUTS = select(messages).where(messages.c.run_id.in_(_WANTED)).order_by(messages.c.number)


class First(NamedTuple):
    """A run that begins, and the node that is to have it from the beginning."""

    tenant: TenantId
    run_id: RunId
    holder: Holder
    fence: int


def hold_runs(connection: Connection, begun: Sequence[First]) -> None:
    """Give runs that begin with this transaction to their nodes."""
    rows = [
        {
            "run_id": first.run_id,
            "tenant": first.tenant,
            "node": first.holder.node,
            "fence": first.fence,
            "seconds": first.holder.seconds,
        }
        for first in begun
    ]
    if rows:
        connection.execute(_FIRST_LEASE, rows)


def claim_runs(connection: Connection, wanted: Collection[RunId], node: NodeId, seconds: float) -> list[Lease]:
    """Give those of the runs that are active and free to a node, and return its leases, oldest run first.

    The branch rows are locked first, as every writer does, then the leases: who waited sees what the other did.
    """
    ids = {"wanted": sorted(wanted)}
    connection.execute(_LOCK_BRANCHES, ids)
    connection.execute(_LOCK_LEASES, ids)
    rows = cast("list[Row[Any]]", connection.execute(_CLAIMABLE, ids).all())
    if not rows:
        return []
    claimed = {"wanted": [row.id for row in rows]}
    moved = connection.execute(_MOVE_FENCES, {"keys": [row.branch_key for row in rows]})
    fences = {BranchKey(key): fence for key, fence in moved}
    connection.execute(_COUNT_ATTEMPTS, claimed)
    _write_leases(connection, rows, fences, node, seconds)
    inputs = _inputs(connection, claimed)
    wishes = [to_interrupt(row) for row in connection.execute(OF_RUNS, claimed)]
    return [
        Lease(
            run=to_run(row),
            input=in_order(to_run(row), inputs),
            node=node,
            fence=fences[row.branch_key],
            attempt=row.attempts + 1,
            interrupts=tuple(wish for wish in wishes if wish.run_id == row.id),
        )
        for row in rows
    ]


def _write_leases(
    connection: Connection, rows: Collection[Row[Any]], fences: dict[BranchKey, int], node: NodeId, seconds: float
) -> None:
    until = connection.scalar(select(database_now() + seconds))
    written = upsert(connection.dialect, leases)
    connection.execute(
        written.on_conflict_do_update(
            index_elements=[leases.c.run_id],
            set_={
                "node": written.excluded.node,
                "fence": written.excluded.fence,
                "expires_at": written.excluded.expires_at,
            },
        ),
        [
            {
                "run_id": row.id,
                "tenant": row.tenant,
                "node": node,
                "fence": fences[row.branch_key],
                "expires_at": until,
            }
            for row in rows
        ],
    )


def _inputs(connection: Connection, claimed: dict[str, list[RunId]]) -> dict[MessageId, Message]:
    return {row.id: to_message(row) for row in connection.execute(_INPUTS, claimed)}


def in_order(run: Run, known: Mapping[MessageId, Message]) -> tuple[Message, ...]:
    """Return the messages that started a run, in their order."""
    return tuple(known[message_id] for message_id in msgspec.json.decode(run.input, type=list[MessageId]))
