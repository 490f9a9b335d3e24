"""The queue of a branch: its runs that wait, changed only with the branch's row locked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from events.branches import Content
from events.ids import MessageId
from events.runs import RunStatus
from events.serializer import Encoded
from events.text import Role
from hosting.adapters.sql.messages import Said, add_messages, touch
from hosting.adapters.sql.rows import to_run
from hosting.adapters.sql.tables import NO_CONFIG, branches, messages, runs
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.work_items import ADD_ITEM, END_ITEM_OF_RUN, OFFER_ITEM, item_row, offered
from hosting.domain.message import Message
from hosting.domain.queued import QueuedRun
from hosting.domain.run import Run
from hosting.domain.scope import BranchKey
from hosting.domain.work_item import WorkState
from hosting.ports.units import EndRun, Enqueue, Refusal, RemoveQueued, Unit

QUEUED = (
    select(*runs.c, branches.c.session_id, branches.c.id.label("branch_id"))
    .join(branches, branches.c.key == runs.c.branch_key)
    .where(runs.c.branch_key == bindparam("branch"), runs.c.status == RunStatus.QUEUED)
    .order_by(runs.c.queue_place)
)
LOCK_BRANCH = select(branches.c.queue_length).where(branches.c.key == bindparam("branch")).with_for_update()
_ACTIVE = select(runs.c.id).where(runs.c.branch_key == bindparam("branch"), runs.c.status == RunStatus.ACTIVE)
_ENDS_OF_QUEUE = select(
    func.coalesce(func.min(runs.c.queue_place), 0), func.coalesce(func.max(runs.c.queue_place), 0)
).where(runs.c.branch_key == bindparam("branch"), runs.c.status == RunStatus.QUEUED)
_TAKEN = select(messages.c.id).where(
    messages.c.branch_key == bindparam("branch"), messages.c.id.in_(bindparam("wanted", expanding=True))
)
_REMOVE = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.branch_key == bindparam("branch"), runs.c.status == RunStatus.QUEUED)
    .values(status=RunStatus.CANCELLED, completed_at=bindparam("at"), waiting=None, config=NO_CONFIG)
)
_PROMOTE = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(status=RunStatus.ACTIVE, started_at=bindparam("at"), attempts=bindparam("begun"), waiting=None)
)


class _Waiting(msgspec.Struct, frozen=True):
    """What the column `waiting` holds."""

    messages: tuple["_Words", ...]
    client_input_id: str | None = None


class _Words(msgspec.Struct, frozen=True):
    id: MessageId
    role: Role
    contents: tuple[Content, ...]


def read_queue(connection: Connection, branch: BranchKey) -> list[QueuedRun]:
    """Return the runs that wait, the next one first."""
    waiting = cast("list[Row[Any]]", connection.execute(QUEUED, {"branch": branch}).all())
    return [to_queued(row) for row in waiting]


def to_queued(row: Row[Any]) -> QueuedRun:
    """Read a row of `runs` that waits, joined as `to_run` wants it."""
    waiting = msgspec.json.decode(row.waiting, type=_Waiting)
    said = tuple(Message(words.id, words.role, words.contents, run_id=row.id) for words in waiting.messages)
    return QueuedRun(to_run(row), said, from_ticks(row.queued_at), waiting.client_input_id)


def enqueue(connection: Connection, unit: Unit, change: Enqueue) -> Refusal | Sequence[Encoded]:
    """Let a run wait."""
    length = connection.scalar(LOCK_BRANCH, {"branch": unit.branch_key})
    if length is None:
        return Refusal.BRANCH_MISSING
    if connection.scalar(_ACTIVE, {"branch": unit.branch_key}) is None:
        return Refusal.RUN_NOT_ACTIVE
    if length >= change.most:
        return Refusal.QUEUE_FULL
    if is_taken(connection, unit.branch_key, change.queued.messages):
        return Refusal.MESSAGE_EXISTS
    first, last = connection.execute(_ENDS_OF_QUEUE, {"branch": unit.branch_key}).one()
    queued = change.queued
    connection.execute(insert(runs), _row(queued, first - 1 if change.first else last + 1))
    if queued.offer is not None:
        connection.execute(ADD_ITEM, item_row(queued.run, queued.offer, WorkState.WAITING, queued.queued_at))
    return change.tell(read_queue(connection, unit.branch_key))


def remove(connection: Connection, unit: Unit, change: RemoveQueued) -> Refusal | Sequence[Encoded]:
    """Take a run out of the queue for good."""
    if connection.scalar(LOCK_BRANCH, {"branch": unit.branch_key}) is None:
        return Refusal.BRANCH_MISSING
    given = {"run": change.run_id, "branch": unit.branch_key, "at": to_ticks(change.removed_at)}
    if not connection.execute(_REMOVE, given).rowcount:
        return Refusal.RUN_NOT_QUEUED
    connection.execute(END_ITEM_OF_RUN, {"run": change.run_id, "at": to_ticks(change.removed_at)})
    return change.tell(read_queue(connection, unit.branch_key))


class Promoted(NamedTuple):
    """A run that leaves the queue with the end of the one before it."""

    run: Run
    messages: tuple[Message, ...]
    events: Sequence[Encoded]


def promote(connection: Connection, unit: Unit, change: EndRun) -> Promoted | None:
    """Begin the first run that waits; the branch's row is locked and free."""
    waiting = read_queue(connection, unit.branch_key)
    if not waiting:
        return None
    queued, *others = waiting
    is_offered = queued.run.work_item is not None
    at = to_ticks(change.completed_at)
    connection.execute(_PROMOTE, {"run": queued.run.id, "at": at, "begun": 0 if is_offered else 1})
    if is_offered:
        connection.execute(OFFER_ITEM, offered(queued.run.work_item, change.completed_at))
    add_messages(connection, unit.tenant, unit.branch_key, queued.messages)
    touch(connection, [Said(queued.run, change.completed_at, queued.messages)])
    run = replace(queued.run, status=RunStatus.ACTIVE, started_at=change.completed_at)
    return Promoted(run, queued.messages, change.promote(queued, others))


def is_taken(connection: Connection, branch: BranchKey, wanted: Sequence[Message]) -> bool:
    """Say whether a message of the branch, or one that waits there, has one of these ids."""
    ids = {message.id for message in wanted}
    if connection.scalar(_TAKEN, {"branch": branch, "wanted": sorted(ids)}) is not None:
        return True
    waiting = (message.id for queued in read_queue(connection, branch) for message in queued.messages)
    return not ids.isdisjoint(waiting)


def _row(queued: QueuedRun, place: int) -> dict[str, Any]:
    run = queued.run
    words = tuple(_Words(message.id, message.role, message.contents) for message in queued.messages)
    return {
        "id": run.id,
        "tenant": run.scope.tenant,
        "branch_key": run.branch_key,
        "agent_id": run.agent_id,
        "message_id": run.message_id,
        "status": RunStatus.QUEUED,
        "attempts": 0,
        "input": run.input,
        "config": run.config,
        "agent_version": run.agent_version,
        "work_item": run.work_item,
        "queued_at": to_ticks(queued.queued_at),
        "queue_place": place,
        "waiting": msgspec.json.encode(_Waiting(words, queued.client_input_id)),
    }
