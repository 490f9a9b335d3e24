"""Adding what a user says to the run that a worker does, in one unit with what tells the worker of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from events.serializer import Stamp
from hosting.domain.branch import Branch
from hosting.domain.inbox_message import InboxMessage, InboxType
from hosting.domain.keyed_request import Record
from hosting.domain.message import Message
from hosting.domain.run import Run
from hosting.domain.work_item import WorkItemId
from hosting.ports.units import Committed, GuardedChange, Refusal, RunChange, Unit
from hosting.ports.words import AddToRun
from hosting.runtime.core import Runtime
from hosting.runtime.messages import message_events

MOST_UNHEARD: Final = 100
LONGEST_HEARD: Final = 64 * 1024
"""Bytes of what is said to a worker meanwhile: it is sent with the answer to a poll, and up to ten at once."""


async def add_to_run(
    runtime: Runtime,
    branch: Branch,
    run: Run,
    message: Message,
    client_input_id: str | None = None,
    *,
    overtakes: bool = False,
    first: Sequence[GuardedChange | RunChange] = (),
    record: Record | None = None,
) -> Committed | Refusal:
    """Add a message to the branch's active run: when this returns it is stored, and whoever works on the run hears it.

    Refused with RUN_NOT_ACTIVE, QUEUE_FULL or MESSAGE_EXISTS as AddToRun is, with BRANCH_MISSING, and as `record` and
    what is changed `first` are.

    Raises:
        StorageUnavailable: nothing was stored.
    """
    if run.work_item is None:
        return Refusal.RUN_NOT_ACTIVE
    now, scope = runtime.clock(), branch.scope
    said = replace(message, run_id=run.id)
    directive = InboxMessage(
        id=runtime.ids.inbox(),
        item_id=WorkItemId(run.work_item),
        type=InboxType.DIRECTIVE,
        payload=said.text,
        created_at=now,
        turn_id=said.id,
    )
    stamp = Stamp(scope.session_id, scope.branch_id).at(now)
    unit = Unit(
        tenant=scope.tenant,
        branch_key=branch.key,
        run_id=run.id,
        changes=[*first, AddToRun(run, said, directive, MOST_UNHEARD, overtakes)],
        events=[runtime.serializer.encode(event, stamp) for event in message_events([said], now, client_input_id)],
        record=record,
    )
    return await runtime.writer.append_to(unit)
