"""The one place where a run reaches its terminal state."""

from datetime import datetime, timedelta

from events.runs import BranchRunCompleted, RunStatus
from events.turns import MessageTurnError, MessageTurnFinished
from hosting.domain.run import Ending
from hosting.ports.units import EndRun
from hosting.runtime.pen import Pen
from hosting.runtime.turn import Turn


async def finish_run(pen: Pen, turn: Turn, ending: Ending, now: datetime, iterations: int) -> None:
    """End a run behind everything it has emitted; when this returns the end is stored and the branch is free.

    Raises:
        LeaseLost: another node holds the run, and ends it.
        StorageUnavailable: the end is not stored; the run is taken up again.
    """
    run = pen.lease.run
    if ending.status is RunStatus.FAILED:
        pen.put(_error(pen, turn, ending))
    else:
        pen.put(_finished(pen, turn, now - turn.began, iterations))
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
    pen.put(completed, EndRun(run.id, ending, now))
    await pen.settle()


def _error(pen: Pen, turn: Turn, ending: Ending) -> MessageTurnError:
    run = pen.lease.run
    return MessageTurnError(
        message=ending.error_message or "The run failed.",
        message_turn_id=turn.id,
        runtime_run_id=run.id,
        agent_id=run.agent_id,
        agent_name=turn.agent_name,
        error_type=ending.error_type,
        is_retryable=ending.is_retryable,
        **turn.flow,
    )


def _finished(pen: Pen, turn: Turn, duration: timedelta, iterations: int) -> MessageTurnFinished:
    run = pen.lease.run
    return MessageTurnFinished(
        message_turn_id=turn.id,
        conversation_id=run.scope.session_id,
        runtime_run_id=run.id,
        agent_id=run.agent_id,
        agent_name=turn.agent_name,
        duration=duration,
        iteration=iterations,
        **turn.flow,
    )
