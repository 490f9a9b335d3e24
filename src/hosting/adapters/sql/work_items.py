"""Rows of `work_items`: what becomes of them in the unit that their run's events are in."""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    bindparam,
    case,
    cast,
    insert,
    literal,
    null,
    select,
    update,
)

from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import work_items
from hosting.adapters.sql.tables import branches, leases, runs
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.domain.run import Run
from hosting.domain.scope import BranchScope
from hosting.domain.work_item import (
    LEAST_URGENT,
    MOST_URGENT,
    Offer,
    WorkItem,
    WorkReport,
    WorkState,
    WorkTerms,
)
from hosting.ports.units import EndWork, ReturnWork, UpdateWork

BAND: Final = 10**13
"""How far two priorities are apart, in milliseconds: no item ever waits so long (docs/reference/worker-protocol.md)."""


def _score(priority: ColumnElement[int]) -> ColumnElement[int]:
    # Said to be wide: PostgreSQL takes numbers for 32 bits when nobody says otherwise.
    return cast(priority, BigInteger) * literal(BAND, BigInteger) + bindparam("since", type_=BigInteger)


ADD_ITEM: Final = insert(work_items)
END_ITEM_OF_RUN: Final = (
    update(work_items)
    .where(work_items.c.run_id == bindparam("run"))
    .values(state=WorkState.STOPPED, updated_at=bindparam("at"))
)
OFFER_ITEM: Final = (
    update(work_items)
    .where(work_items.c.id == bindparam("item"))
    .values(
        state=WorkState.PENDING,
        queued_at=bindparam("at"),
        updated_at=bindparam("at"),
        score=_score(work_items.c.priority),
    )
)
ITEMS: Final = (
    select(
        *work_items.c,
        branches.c.session_id,
        branches.c.id.label("branch_id"),
        leases.c.fence,
        leases.c.node,
    )
    .join(branches, branches.c.key == work_items.c.branch_key)
    .outerjoin(leases, leases.c.run_id == work_items.c.run_id)
)

_UPDATE: Final = (
    update(work_items)
    .where(work_items.c.id == bindparam("item"))
    .values(state=bindparam("new_state"), report=bindparam("new_report"), updated_at=bindparam("at"))
)
_TOLD: Final = select(work_items.c.state, work_items.c.report).where(work_items.c.id == bindparam("item"))
_RETURN: Final = (
    update(work_items)
    .where(work_items.c.id == bindparam("item"))
    .values(
        state=bindparam("new_state"),
        worker_id=null(),
        attempts=work_items.c.attempts + bindparam("lost"),
        updated_at=bindparam("at"),
        refused_by=bindparam("refused"),
        refused_until=database_now() + bindparam("avoid", type_=Float),
        report=bindparam("new_report"),
    )
)
_RAISED: Final = case((work_items.c.priority > MOST_URGENT, work_items.c.priority - 1), else_=MOST_URGENT)
_HASTEN: Final = (
    update(work_items)
    .where(work_items.c.id == bindparam("item"))
    .values(priority=_RAISED, queued_at=bindparam("at"), score=_score(_RAISED))
)
_UNCOUNT: Final = update(runs).where(runs.c.id == bindparam("run")).values(attempts=runs.c.attempts - 1)
_END: Final = (
    update(work_items)
    .where(work_items.c.id == bindparam("item"), work_items.c.state != WorkState.DEAD)
    .values(state=bindparam("new_state"), updated_at=bindparam("at"))
)


def item_row(run: Run, offer: Offer, state: WorkState, at: datetime) -> dict[str, Any]:
    """Return the row of an item that comes to be."""
    terms = offer.terms
    priority = min(max(terms.priority, MOST_URGENT), LEAST_URGENT)
    return {
        "id": offer.id,
        "tenant": run.scope.tenant,
        "run_id": run.id,
        "branch_key": run.branch_key,
        "agent_id": run.agent_id,
        "agent_name": offer.agent_name,
        "work_type": terms.work_type,
        "project": terms.project,
        "priority": priority,
        "score": priority * BAND + _milliseconds(at),
        "queued_at": to_ticks(at),
        "updated_at": to_ticks(at),
        "state": state,
        "claim": 0,
        "attempts": 0,
        "report": b"{}",
    }


def offered(item_id: str | None, at: datetime) -> dict[str, Any]:
    """Return what `OFFER_ITEM` is executed with."""
    return {"item": item_id, "at": to_ticks(at), "since": _milliseconds(at)}


def apply_work(connection: Connection, change: UpdateWork | ReturnWork | EndWork) -> None:
    """Apply what a unit says of an item; the unit's fence holds, so that nobody else changes it."""
    if isinstance(change, UpdateWork):
        _update(connection, change)
    elif isinstance(change, ReturnWork):
        _return(connection, change)
    else:
        given = {"item": change.item_id, "new_state": change.state, "at": to_ticks(change.ended_at)}
        connection.execute(_END, given)


def to_item(row: Any) -> WorkItem:
    """Read a row of `ITEMS`."""
    return WorkItem(
        id=row.id,
        run_id=row.run_id,
        branch_key=row.branch_key,
        scope=BranchScope(row.tenant, row.session_id, row.branch_id),
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        terms=WorkTerms(work_type=row.work_type, project=row.project, priority=row.priority),
        state=WorkState(row.state),
        queued_at=from_ticks(row.queued_at),
        updated_at=from_ticks(row.updated_at),
        worker_id=row.worker_id,
        claim=row.claim,
        attempts=row.attempts,
        claimed_at=None if row.claimed_at is None else from_ticks(row.claimed_at),
        report=msgspec.json.decode(row.report, type=WorkReport),
        refused_by=row.refused_by,
        fence=row.fence or 0,
    )


def _update(connection: Connection, change: UpdateWork) -> None:
    told = connection.execute(_TOLD, {"item": change.item_id}).one()
    report = msgspec.json.decode(told.report, type=WorkReport)
    given = {
        "item": change.item_id,
        "new_state": change.state or told.state,
        "new_report": msgspec.json.encode(report.merged(change.report) if change.report else report),
        "at": to_ticks(change.updated_at),
    }
    connection.execute(_UPDATE, given)


def _return(connection: Connection, change: ReturnWork) -> None:
    told = connection.execute(_TOLD, {"item": change.item_id}).one()
    # What a provider has of it, and its files, are on the machine of the worker that has it no more.
    left = replace(msgspec.json.decode(told.report, type=WorkReport), provider_session_id=None, worktree_path=None)
    given = {
        "item": change.item_id,
        "new_state": change.state,
        "lost": int(change.lost),
        "at": to_ticks(change.returned_at),
        "refused": change.worker_id if change.avoid_seconds else None,
        "avoid": change.avoid_seconds,
        "new_report": msgspec.json.encode(left),
    }
    connection.execute(_RETURN, given)
    if change.hastened:
        connection.execute(_HASTEN, offered(change.item_id, change.returned_at))
    if not change.lost:
        connection.execute(_UNCOUNT, {"run": change.run_id})


def _milliseconds(at: datetime) -> int:
    return to_ticks(at) // 1000
