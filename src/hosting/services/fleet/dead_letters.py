"""Dead letters: items that too many workers were lost with, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from events.ids import AgentId, MessageId
from events.inputs import ChatMessage, RunningRunBehavior, UserMessagesInput
from hosting.domain.message import Message
from hosting.domain.scope import TenantId
from hosting.domain.work_errors import WorkItemMissing, WorkNotDead
from hosting.domain.work_item import WorkItem, WorkItemId, WorkState
from hosting.runtime.keyed import Keyed
from hosting.runtime.submit import Submitted, submit_input
from hosting.services.fleet.core import Fleet


@dataclass(frozen=True, slots=True)
class Requeued:
    """An item that was given up, and its input as it was submitted once more."""

    item: WorkItem
    submitted: Submitted


async def requeue_dead(
    fleet: Fleet, tenant: TenantId, item_id: WorkItemId, keyed: Keyed[Requeued] | None = None
) -> Requeued:
    """Submit the input of an item that was given up once more, to its branch: its own run has failed for good.

    What the run was configured with is not kept beyond its end, and is not there again.

    Raises:
        WorkItemMissing: there is no such item.
        WorkNotDead: it was not given up, or was requeued before.
        RequestRepeated: it was requeued before, by a request with the same key.
        AgentMissing, ConfigRefused, QueueFull, StorageUnavailable: as `submit_input` says; it stays where it is.
    """
    item = await fleet.work.item(tenant, item_id)
    if item is None:
        raise WorkItemMissing
    branch = await fleet.runtime.tenant(tenant).branch(item.scope.session_id, item.scope.branch_id)
    if item.state is not WorkState.DEAD or branch is None:
        raise WorkNotDead(item.id, item.state)
    again = _again(item, await fleet.work.input(item))
    agent_id, record = AgentId(item.agent_id), None if keyed is None else keyed.by(partial(Requeued, item))
    return Requeued(item, await submit_input(fleet.runtime, branch, agent_id, again, buries=item.id, keyed=record))


def _again(item: WorkItem, messages: Sequence[Message]) -> UserMessagesInput:
    """Write an input anew, with ids of its own for its messages."""
    said = (
        ChatMessage(
            role=message.role,
            message_id=MessageId(f"again-{item.id}-{index}"),
            contents=tuple(msgspec.Raw(msgspec.json.encode(content)) for content in message.contents),
        )
        for index, message in enumerate(messages)
    )
    return UserMessagesInput(messages=tuple(said), running_run_behavior=RunningRunBehavior.QUEUE)
