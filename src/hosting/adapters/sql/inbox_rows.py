"""Rows of `inbox_messages`: how they come to be in the unit that their run's events are in."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, func, insert, literal_column, select, update

from events.runs import RunStatus
from events.serializer import Encoded
from hosting.adapters.sql.fleet_tables import inbox_messages, work_items
from hosting.adapters.sql.messages import Said, add_messages, touch
from hosting.adapters.sql.queue import LOCK_BRANCH, is_taken
from hosting.adapters.sql.tables import interrupts, messages, runs
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.domain.inbox_message import InboxMessage, InboxType
from hosting.domain.scope import TenantId
from hosting.domain.work_item import HELD
from hosting.ports.units import Refusal, Unit
from hosting.ports.words import AddToRun, PassOn

ADD_INBOX_MESSAGE: Final = insert(inbox_messages)
_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_HELD_ITEM: Final = (
    select(work_items.c.id)
    .join(runs, runs.c.id == work_items.c.run_id)
    .where(
        work_items.c.id == bindparam("item"),
        work_items.c.branch_key == bindparam("branch"),
        work_items.c.state.in_(HELD),
        runs.c.status == RunStatus.ACTIVE,
        ~select(interrupts.c.run_id).where(interrupts.c.run_id == runs.c.id, interrupts.c.flow == "").exists(),
    )
)
_UNHEARD: Final = (
    select(func.count())
    .select_from(inbox_messages)
    .where(
        inbox_messages.c.item_id == bindparam("item"),
        inbox_messages.c.type == InboxType.DIRECTIVE,
        inbox_messages.c.acked_claim.is_(None),
    )
)

UNTOLD: Final = and_(
    inbox_messages.c.type == literal_column(f"'{InboxType.DIRECTIVE}'"),
    inbox_messages.c.delivered_claim.is_(None),
    inbox_messages.c.acked_claim.is_(None),
)
"""Selects what users have said, and no worker was handed; said as the index has it that finds these few."""

_CLAIM: Final = select(work_items.c.claim).where(work_items.c.id == bindparam("item")).scalar_subquery()
_PASS_ON: Final = (
    update(inbox_messages)
    .where(inbox_messages.c.item_id == bindparam("item"), inbox_messages.c.id.in_(_IDS), UNTOLD)
    .values(acked_claim=_CLAIM)
)
_GIVE: Final = (
    update(messages)
    .where(messages.c.branch_key == bindparam("branch"), messages.c.id.in_(_IDS))
    .values(run_id=bindparam("run"))
)


def inbox_row(tenant: TenantId, message: InboxMessage) -> dict[str, Any]:
    """Return the row of a message that comes to be."""
    return {
        "id": message.id,
        "tenant": tenant,
        "item_id": message.item_id,
        "lane": message.lane,
        "type": message.type,
        "kind": message.kind,
        "payload": message.payload,
        "user_id": message.user_id,
        "user_name": message.user_name,
        "turn_id": message.turn_id,
        "request_id": message.request_id,
        "worker_id": message.worker_id,
        "created_at": to_ticks(message.created_at),
    }


def to_inbox_message(row: Row[Any]) -> InboxMessage:
    """Read a row of `inbox_messages`."""
    return InboxMessage(
        id=row.id,
        item_id=row.item_id,
        type=InboxType(row.type),
        payload=row.payload,
        created_at=from_ticks(row.created_at),
        turn_id=row.turn_id,
        request_id=row.request_id,
        worker_id=row.worker_id,
        user_id=row.user_id,
        user_name=row.user_name,
    )


def add_to_run(connection: Connection, unit: Unit, change: AddToRun) -> Refusal | Sequence[Encoded]:
    """Add what a user says to the run that a worker does."""
    # As everything locks it that gives an item to a worker or takes it away: what is accepted here is delivered.
    waiting = connection.scalar(LOCK_BRANCH, {"branch": unit.branch_key})
    if waiting is None:
        return Refusal.BRANCH_MISSING
    if waiting and not change.overtakes:
        return Refusal.RUN_NOT_ACTIVE
    item = {"item": change.directive.item_id}
    if connection.scalar(_HELD_ITEM, {**item, "branch": unit.branch_key}) is None:
        return Refusal.RUN_NOT_ACTIVE
    if (connection.scalar(_UNHEARD, item) or 0) >= change.most:
        return Refusal.QUEUE_FULL
    message = change.message
    if is_taken(connection, unit.branch_key, [message]) or not add_messages(
        connection, unit.tenant, unit.branch_key, [message]
    ):
        return Refusal.MESSAGE_EXISTS
    touch(connection, [Said(change.run, change.directive.created_at, [message])])
    connection.execute(ADD_INBOX_MESSAGE, inbox_row(unit.tenant, change.directive))
    return ()


def pass_on(connection: Connection, unit: Unit, change: PassOn) -> Refusal | Sequence[Encoded]:
    """Let a run begin with what no worker was told."""
    given = {"item": change.item_id, "ids": list(change.directives)}
    if connection.execute(_PASS_ON, given).rowcount < len(change.directives):
        return Refusal.MESSAGE_EXISTS
    connection.execute(_GIVE, {"branch": unit.branch_key, "ids": list(change.message_ids), "run": change.run_id})
    return ()
