"""Questions as rows: opened with their request, settled once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Float, Row, bindparam, insert, or_, select, update

from events.serializer import Encoded
from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.tables import branches, interactions, runs
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.scope import BranchScope
from hosting.ports.units import OpenInteraction, Refusal, SettleInteraction, Unit

INTERACTIONS = select(*interactions.c, branches.c.session_id, branches.c.id.label("branch_id")).join(
    branches, branches.c.key == interactions.c.branch_key
)
OVERDUE = interactions.c.expires_at <= database_now()

OPEN_INTERACTION = insert(interactions).values(expires_at=database_now() + bindparam("seconds", type_=Float))
_SETTLE = (
    update(interactions)
    .where(
        interactions.c.branch_key == bindparam("branch"),
        interactions.c.id == bindparam("request"),
        interactions.c.state == InteractionState.OPEN,
    )
    .values(state=bindparam("new_state"), response=bindparam("answer"))
)
# A run that goes on after it has waited, perhaps through many restarts, has its attempts before it again.
_GOES_ON = (
    update(runs)
    .where(
        runs.c.id
        == select(interactions.c.run_id)
        .where(interactions.c.branch_key == bindparam("branch"), interactions.c.id == bindparam("request"))
        .scalar_subquery()
    )
    .values(attempts=1)
)
_SETTLES = {
    InteractionState.ANSWERED: _SETTLE.where(
        interactions.c.response_type == bindparam("type"),
        or_(interactions.c.expires_at.is_(None), interactions.c.expires_at > database_now()),
    ),
    InteractionState.EXPIRED: _SETTLE.where(OVERDUE),
    InteractionState.CANCELLED: _SETTLE,
}


def open_row(unit: Unit, change: OpenInteraction, first_seq: int) -> dict[str, Any]:
    """Return what OPEN_INTERACTION takes; the number comes from the place of the request in its unit."""
    asked = change.interaction
    index = next(index for index, event in enumerate(unit.events) if event is change.request)
    return {
        "tenant": unit.tenant,
        "branch_key": unit.branch_key,
        "id": asked.id,
        "run_id": asked.run_id,
        "agent_id": asked.agent_id,
        "place": asked.place,
        "request_type": asked.request_type,
        "response_type": asked.response_type,
        "source_name": asked.source_name,
        "state": asked.state,
        "response": asked.response,
        "seq": first_seq + index,
        "requested_at": to_ticks(asked.requested_at),
        "deadline": None if asked.expires_at is None else to_ticks(asked.expires_at),
        "seconds": change.seconds,
    }


def settle(connection: Connection, unit: Unit, change: SettleInteraction) -> Refusal | Sequence[Encoded]:
    """Settle a question if it is open and may be settled so."""
    given: dict[str, Any] = {
        "branch": unit.branch_key,
        "request": change.request_id,
        "new_state": change.state,
        "answer": change.response,
    }
    if change.state is InteractionState.ANSWERED:
        given["type"] = change.response_type
    if not connection.execute(_SETTLES[change.state], given).rowcount:
        return Refusal.NOT_AWAITED
    if change.state is not InteractionState.CANCELLED:
        connection.execute(_GOES_ON, {"branch": unit.branch_key, "request": change.request_id})
    return ()


def to_interaction(row: Row[Any]) -> Interaction:
    """Read a row of INTERACTIONS."""
    return Interaction(
        id=row.id,
        branch_key=row.branch_key,
        scope=BranchScope(row.tenant, row.session_id, row.branch_id),
        run_id=row.run_id,
        agent_id=row.agent_id,
        place=row.place,
        request_type=row.request_type,
        response_type=row.response_type,
        source_name=row.source_name,
        state=InteractionState(row.state),
        seq=row.seq,
        requested_at=from_ticks(row.requested_at),
        expires_at=None if row.deadline is None else from_ticks(row.deadline),
        response=row.response,
    )
