"""The one place where a run reaches its terminal state."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from events.event import Event
from events.queue import BranchQueueUpdated, QueueAction
from events.runs import BranchRunCompleted, BranchRunStarted, RunStatus
from events.serializer import Encoded, Stamp
from events.turns import MessageTurnError
from hosting.domain.observation import key_of_run
from hosting.domain.queued import QueuedRun
from hosting.domain.run import Ending, Run
from hosting.domain.work_item import WorkItemId, WorkState
from hosting.ports.results import Observe
from hosting.ports.units import EndRun, EndWork, Promote, RunChange
from hosting.runtime.closing import close_turn, turn_finished
from hosting.runtime.core import Runtime
from hosting.runtime.hand import Hand
from hosting.runtime.messages import message_events
from hosting.runtime.queue_items import queue_items
from hosting.runtime.relay_state import forget_relayed
from hosting.runtime.routes import observed
from middleware.errors import MODEL_NOT_FOUND

WORK_STATE: Final = {
    RunStatus.COMPLETED: WorkState.COMPLETED,
    RunStatus.CANCELLED: WorkState.STOPPED,
    RunStatus.FAILED: WorkState.FAILED,
}


async def finish_run(runtime: Runtime, hand: Hand, ending: Ending) -> None:
    """End a run behind everything it has emitted, and close what it left open.

    When this returns the end is stored, and the branch is free or holds the first run of its queue, which this node
    executes.

    Raises:
        LeaseLost: another node holds the run, and ends it.
        StorageUnavailable: the end is not stored; the run is taken up again.
    """
    run, failed = hand.lease.run, ending.status is RunStatus.FAILED
    reason = ending.reason or ending.status
    await close_turn(runtime, hand, reason=reason, finished=not failed, termination=ending.termination)
    if failed:
        hand.finish(_error(hand, ending))
    elif hand.unfinished.turn is not None:
        hand.finish(turn_finished(runtime, hand, ending.termination))
    now = runtime.clock()
    completed = BranchRunCompleted(
        runtime_run_id=run.id,
        agent_id=run.agent_id,
        status=ending.status,
        cancelled=ending.cancelled,
        completed_at=now,
        error_type=ending.error_type,
        error_message=ending.error_message,
        reason=ending.reason,
    )
    end = EndRun(run.id, ending, now, runtime.holder, promotion(runtime, now))
    hand.pen.put(completed, *work_ended(run, ending, now), *_learnt(hand, ending, now), end)
    await hand.settle()
    if runtime.router is not None:
        runtime.router.learnt(hand.arms)
    if hand.pen.promoted is not None:
        runtime.hold(hand.pen.promoted)


def _learnt(hand: Hand, ending: Ending, now: datetime) -> tuple[Observe, ...]:
    """Return what is learnt of whoever the run was given to; one that somebody cancelled says nothing of them."""
    if ending.cancelled:
        return ()
    run, succeeded = hand.lease.run, ending.status is RunStatus.COMPLETED
    return observed(hand, key_of_run(run.id), succeeded=succeeded, began=run.started_at or now, ended=now)


def work_ended(run: Run, ending: Ending, now: datetime) -> tuple[RunChange, ...]:
    """Return what becomes of the item of a run that ends, when workers do it."""
    if run.work_item is None:
        return ()
    item_id = WorkItemId(run.work_item)
    return EndWork(item_id, WORK_STATE[ending.status], now), forget_relayed(run.scope, item_id)


def promotion(runtime: Runtime, now: datetime) -> Promote:
    """Return what tells of the run that takes the branch after one that ends now."""

    def tell(queued: QueuedRun, waiting: Sequence[QueuedRun]) -> list[Encoded]:
        run = queued.run
        events: list[Event] = [
            BranchQueueUpdated(action=QueueAction.DEQUEUED, runtime_run_id=run.id, items=queue_items(waiting)),
            BranchRunStarted(runtime_run_id=run.id, agent_id=run.agent_id, started_at=now, message_id=run.message_id),
            *message_events(queued.messages, now, queued.client_input_id),
        ]
        stamp = Stamp(run.scope.session_id, run.scope.branch_id).at(now)
        return [runtime.serializer.encode(event, stamp) for event in events]

    return tell


def _error(hand: Hand, ending: Ending) -> MessageTurnError:
    run, turn = hand.lease.run, hand.turn
    return MessageTurnError(
        message=ending.error_message or "The run failed.",
        message_turn_id=turn.id,
        runtime_run_id=run.id,
        agent_id=run.agent_id,
        agent_name=turn.agent_name,
        error_type=ending.error_type,
        category=ending.category,
        is_model_not_found=ending.category == MODEL_NOT_FOUND,
        is_retryable=ending.is_retryable,
        **turn.flow,
    )
