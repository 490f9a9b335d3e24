"""Submitting an input: its run begins, waits in the queue, or is refused, in one unit with its events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from events.branches import TextContent
from events.event import Event
from events.ids import AgentId, MessageId, RunId
from events.inputs import Input, RunningRunBehavior
from events.interruption import InterruptionSource
from events.position import Position
from events.queue import BranchQueueUpdated, QueueAction
from events.runs import BranchRunStarted, RunStatus
from events.serializer import Encoded, Stamp
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing, MessageExists, QueueFull, RunActive, ServerLeaving
from hosting.domain.interrupt import Interrupt
from hosting.domain.keyed_errors import RequestRepeated
from hosting.domain.keyed_request import Record
from hosting.domain.lease import Lease
from hosting.domain.overload_errors import Overloaded, TooManyRuns
from hosting.domain.queued import QueuedRun
from hosting.domain.run import Run
from hosting.domain.scope import TenantId
from hosting.domain.work_errors import WorkNotDead
from hosting.domain.work_item import FurtherInputs, WorkItemId, WorkState
from hosting.ports.results import BuryWork
from hosting.ports.units import (
    AskForInterrupt,
    Committed,
    Enqueue,
    GuardedChange,
    Refusal,
    RunChange,
    StartRun,
    Tell,
    Unit,
)
from hosting.runtime.configuration import check_configuration
from hosting.runtime.core import Runtime
from hosting.runtime.inject import LONGEST_HEARD, MOST_UNHEARD, add_to_run
from hosting.runtime.input_messages import messages_of
from hosting.runtime.keyed import Keyed, record_of
from hosting.runtime.messages import message_events
from hosting.runtime.new_run import new_run
from hosting.runtime.queue_items import queue_items
from hosting.runtime.run_secrets import sealed_config

MOST_QUEUED: Final = 100
_REASON: Final = "Interrupted by a new input."


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted input; following from `position` shows everything about it. `queued_position` counts from 1.

    `run_id` is its own run's, or of the run that it was added to; `work_item` is that run's, when it is for workers.
    """

    run_id: RunId
    message_id: MessageId
    status: RunStatus
    position: Position
    queued_position: int | None = None
    work_item: str | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is submitted where; it buries an item that was given up, perhaps."""

    branch: Branch
    received: Input
    queued: QueuedRun
    keyed: Keyed[Submitted] | None
    buries: WorkItemId | None

    @property
    def tenant(self) -> TenantId:
        return self.branch.scope.tenant

    @property
    def first(self) -> list[GuardedChange | RunChange]:
        """What is changed before anything else."""
        return [] if self.buries is None else [BuryWork(self.buries)]

    def record(self, answer: Callable[[Position], Submitted]) -> Record | None:
        return record_of(self.keyed, answer)

    def refused(self, refusal: Refusal) -> Exception:
        """Return what a refusal of the unit says."""
        scope = self.branch.scope
        if refusal is Refusal.RUN_ACTIVE:
            return RunActive(scope.branch_id)
        if refusal is Refusal.MESSAGE_EXISTS:
            return MessageExists(tuple(message.id for message in self.queued.messages))
        if refusal is Refusal.QUEUE_FULL:
            return QueueFull(scope.branch_id, MOST_QUEUED)
        if refusal is Refusal.REQUEST_REPEATED:
            return RequestRepeated()
        if refusal is Refusal.WORK_NOT_DEAD and self.buries is not None:
            return WorkNotDead(self.buries, WorkState.FAILED)
        return BranchMissing(scope.session_id, scope.branch_id)


async def submit_input(
    runtime: Runtime,
    branch: Branch,
    agent_id: AgentId,
    received: Input,
    *,
    priority: int | None = None,
    buries: WorkItemId | None = None,
    keyed: Keyed[Submitted] | None = None,
) -> Submitted:
    """Accept an input: when this returns, its run is stored and will be executed, whatever happens to this process.

    An input that would wait is added to the run before it, when a worker has that and the agent is defined so.
    `priority` is what workers are offered it with, if it is not as the agent's definition says. It `buries` an item
    that was given up, whose place it takes.

    Raises:
        InvalidInput, RunConfigRefused: the input cannot be taken.
        AgentMissing: the agent has just been deleted.
        ConfigRefused: the agent's definition asks for what the server does not have any more.
        RunActive: the branch is busy, and the input is not one to wait.
        QueueFull: it is, and too many wait already.
        MessageExists: a message id that the client chose is taken.
        WorkNotDead: what it is to bury was not given up, or is buried.
        RequestRepeated: it was submitted before, by a request with the same key.
        TooManyRuns, Overloaded: this node works on as many runs as it may, of the tenant or in all.
        ServerLeaving: the server is being stopped.
        SealKeyMissing: something in its configuration is secret, and this server has no key to seal it with.
        StorageUnavailable: nothing was stored.
    """
    if runtime.rings.closing is not None:
        raise ServerLeaving
    queued = await _prepared(runtime, branch, agent_id, received, priority)
    wanted = _Wanted(branch, received, queued, keyed, buries)
    while True:
        outcome = await _begin(runtime, wanted)
        if isinstance(outcome, Committed):
            return _begun(queued.run, outcome.before)
        if outcome is not Refusal.RUN_ACTIVE or received.running_run_behavior is RunningRunBehavior.REJECT:
            raise wanted.refused(outcome)
        # What has a priority of its own is work of its own.
        accepted = None if priority is not None else await _inject(runtime, wanted)
        accepted = accepted or await _enqueue(runtime, wanted)
        if accepted is not None:
            return accepted


async def _begin(runtime: Runtime, wanted: _Wanted) -> Committed | Refusal:
    """Let a run begin: here, if it is not for workers, where there must be room for it."""
    unit, run = _starting(runtime, wanted), wanted.queued.run
    if run.work_item is not None:
        return await runtime.writer.append_to(unit)
    try:
        with runtime.runs.reserved(wanted.tenant):
            outcome = await runtime.writer.append_to(unit)
            if isinstance(outcome, Committed):
                runtime.hold(Lease(run, wanted.queued.messages, runtime.holder.node, outcome.fence, attempt=1))
            return outcome
    except (TooManyRuns, Overloaded):
        if await runtime.tenant(wanted.tenant).active_run(wanted.branch.key) is None:
            raise
        # It would not have begun: it waits behind that run, which takes no room, or hears of it.
        return Refusal.RUN_ACTIVE


async def _prepared(
    runtime: Runtime, branch: Branch, agent_id: AgentId, received: Input, priority: int | None
) -> QueuedRun:
    """Return an input as a run that has not begun; raises as `submit_input` does."""
    config = bytes(received.run_config) or b"{}"
    engaged = await runtime.agents.engage(branch.scope.tenant, agent_id)
    await check_configuration(runtime, branch, agent_id, engaged, config)
    run_id, now = runtime.ids.run(), runtime.clock()
    sealed = sealed_config(runtime.cipher, branch.scope.tenant, run_id, config)
    messages = await messages_of(runtime, branch.scope, received, run_id)
    said = [message.id for message in messages]
    run, offer = new_run(
        runtime, branch, agent_id, engaged, run_id=run_id, said=said, config=sealed, now=now, priority=priority
    )
    return QueuedRun(run, messages, now, received.client_input_id, offer)


async def _inject(runtime: Runtime, wanted: _Wanted) -> Submitted | None:
    """Add an input to the active run; None when it cannot be, and has to wait."""
    branch, queued = wanted.branch, wanted.queued
    if wanted.received.running_run_behavior is not RunningRunBehavior.QUEUE or not _can_be_added(queued):
        return None
    active = await runtime.tenant(wanted.tenant).active_run(branch.key)
    if active is None or active.agent_id != queued.run.agent_id:
        return None

    def added(before: Position) -> Submitted:
        return Submitted(active.id, queued.run.message_id, active.status, before, work_item=active.work_item)

    record, said = wanted.record(added), queued.messages[0]
    outcome = await add_to_run(runtime, branch, active, said, queued.client_input_id, record=record, first=wanted.first)
    if outcome is Refusal.RUN_NOT_ACTIVE:
        return None
    if outcome is Refusal.QUEUE_FULL:
        raise QueueFull(branch.scope.branch_id, MOST_UNHEARD)
    if not isinstance(outcome, Committed):
        raise wanted.refused(outcome)
    return added(outcome.before)


def _can_be_added(queued: QueuedRun) -> bool:
    """Say whether a worker can be told of an input in words: it is one text, not too long, and configures no run."""
    if queued.offer is None or queued.offer.terms.further_inputs is not FurtherInputs.INJECT:
        return False
    is_text = len(queued.messages) == 1 and all(isinstance(part, TextContent) for part in queued.messages[0].contents)
    if not is_text or len(queued.messages[0].text.encode()) > LONGEST_HEARD:
        return False
    return queued.run.config == b"{}"


async def _enqueue(runtime: Runtime, wanted: _Wanted) -> Submitted | None:
    """Let a run wait behind the active one; None when that has ended in the meantime."""
    branch, queued, run = wanted.branch, wanted.queued, wanted.queued.run
    first, places = wanted.received.running_run_behavior is RunningRunBehavior.INTERRUPT, list[int]()

    def waiting(before: Position) -> Submitted:
        return Submitted(run.id, run.message_id, RunStatus.QUEUED, before, places[-1], run.work_item)

    unit = Unit(wanted.tenant, branch.key, run.id, changes=wanted.first, record=wanted.record(waiting))
    action = QueueAction.PROMOTED if first else QueueAction.ENQUEUED
    unit.changes.append(Enqueue(queued, _telling(runtime, queued, action, places), MOST_QUEUED, first=first))
    interrupt = None
    if first:
        active = await runtime.tenant(wanted.tenant).active_run(branch.key)
        if active is None:
            return None
        interrupt = Interrupt(active.id, _REASON, InterruptionSource.USER)
        unit.changes.append(AskForInterrupt(interrupt))
    outcome = await runtime.writer.append_to(unit)
    if outcome is Refusal.RUN_NOT_ACTIVE:
        return None
    if not isinstance(outcome, Committed):
        raise wanted.refused(outcome)
    if interrupt is not None:
        runtime.wakes.interrupted(interrupt)
    return waiting(outcome.before)


def _telling(runtime: Runtime, queued: QueuedRun, action: QueueAction, places: list[int]) -> Tell:
    def tell(waiting: Sequence[QueuedRun]) -> list[Encoded]:
        items, run = queue_items(waiting), queued.run
        # Written down anew each time: a transaction that is tried again may find another queue.
        places.append(next(item.queued_position for item in items if item.runtime_run_id == run.id))
        event = BranchQueueUpdated(action=action, runtime_run_id=run.id, items=items)
        stamp = Stamp(run.scope.session_id, run.scope.branch_id).at(queued.queued_at)
        return [runtime.serializer.encode(event, stamp)]

    return tell


def _begun(run: Run, before: Position) -> Submitted:
    return Submitted(run.id, run.message_id, run.status, before, work_item=run.work_item)


def _starting(runtime: Runtime, wanted: _Wanted) -> Unit:
    """Return the unit in which a run begins at once: here, or on offer to workers."""
    queued = wanted.queued
    run, now, messages = queued.run, queued.queued_at, queued.messages
    stamp = Stamp(run.scope.session_id, run.scope.branch_id).at(now)
    events: list[Event] = [
        BranchRunStarted(runtime_run_id=run.id, agent_id=run.agent_id, started_at=now, message_id=run.message_id),
        *message_events(messages, now, queued.client_input_id),
    ]
    return Unit(
        tenant=run.scope.tenant,
        branch_key=run.branch_key,
        run_id=run.id,
        changes=[*wanted.first, StartRun(run, now, messages, None if queued.offer else runtime.holder, queued.offer)],
        events=[runtime.serializer.encode(event, stamp) for event in events],
        record=wanted.record(lambda before: _begun(run, before)),
    )
