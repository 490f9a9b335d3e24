"""A word of an operator's to whoever works on an item, or to whoever works on its branch next."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from events.branches import TextContent
from events.ids import MessageId, RunId
from events.inputs import RunningRunBehavior, UserTextInput
from events.runs import RunStatus
from events.text import Role
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing, QueueFull
from hosting.domain.keyed_errors import RequestRepeated
from hosting.domain.message import Message
from hosting.domain.work_errors import MessageTooLong, WorkItemMissing
from hosting.domain.work_item import WorkItem, WorkItemId
from hosting.ports.units import Committed, Refusal
from hosting.runtime.inject import LONGEST_HEARD, MOST_UNHEARD, add_to_run
from hosting.runtime.keyed import Keyed, record_of
from hosting.runtime.submit import Submitted, submit_input
from hosting.services.fleet.core import Fleet

_PRIORITY: Final = 2
"""What is asked for like this comes before most other work (docs/reference/worker-protocol.md)."""


class Passed(StrEnum):
    """What became of the word: its worker hears it, or it is work of its own."""

    DIRECTIVE = "directive"
    REQUEUED = "requeued"


@dataclass(frozen=True, slots=True)
class Prompted:
    """Where a word went; the item is another one when it was requeued."""

    passed: Passed
    item_id: WorkItemId | None
    run_id: RunId
    message_id: MessageId
    status: RunStatus


async def prompt(fleet: Fleet, item: WorkItem, text: str, keyed: Keyed[Prompted] | None = None) -> Prompted:
    """Tell it to the worker that has an item, or else make it an input of the item's branch, which comes up soon.

    Raises:
        WorkItemMissing: the branch was deleted with the item just now.
        MessageTooLong: it is more than 64 KiB.
        QueueFull: too much waits already.
        AgentMissing, ConfigRefused: the agent is not there any more, or not as it was.
        RequestRepeated: it was told before, by a request with the same key.
        ServerLeaving: the server is being stopped.
        StorageUnavailable: nothing was stored.
    """
    if len(text.encode()) > LONGEST_HEARD:
        raise MessageTooLong(LONGEST_HEARD)
    scope = item.scope
    branch = await fleet.runtime.tenant(scope.tenant).branch(scope.session_id, scope.branch_id)
    if branch is None:
        raise WorkItemMissing
    if item.state.is_held:
        told = await _tell(fleet, branch, item, text, keyed)
        if told is not None:
            return told
    return await _requeue(fleet, branch, item, text, keyed)


async def _tell(
    fleet: Fleet, branch: Branch, item: WorkItem, text: str, keyed: Keyed[Prompted] | None
) -> Prompted | None:
    """Tell the worker; None when it has the item no more."""
    runtime = fleet.runtime
    run = await runtime.tenant(branch.scope.tenant).run(branch.key, item.run_id)
    if run is None:
        return None
    message = Message(runtime.ids.message(), Role.USER, (TextContent(text=text),), run_id=run.id)
    told = Prompted(Passed.DIRECTIVE, item.id, run.id, message.id, run.status)
    record = record_of(keyed, lambda before: told)
    outcome = await add_to_run(runtime, branch, run, message, overtakes=True, record=record)
    if outcome is Refusal.REQUEST_REPEATED:
        raise RequestRepeated
    if outcome is Refusal.QUEUE_FULL:
        raise QueueFull(branch.scope.branch_id, MOST_UNHEARD)
    return told if isinstance(outcome, Committed) else None


async def _requeue(fleet: Fleet, branch: Branch, item: WorkItem, text: str, keyed: Keyed[Prompted] | None) -> Prompted:
    said = UserTextInput(text=text, running_run_behavior=RunningRunBehavior.QUEUE)
    record = None if keyed is None else keyed.by(_requeued)
    try:
        return _requeued(
            await submit_input(fleet.runtime, branch, item.agent_id, said, priority=_PRIORITY, keyed=record)
        )
    except BranchMissing as error:
        raise WorkItemMissing from error


def _requeued(done: Submitted) -> Prompted:
    item_id = None if done.work_item is None else WorkItemId(done.work_item)
    return Prompted(Passed.REQUEUED, item_id, done.run_id, done.message_id, done.status)
