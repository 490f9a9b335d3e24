"""Coming back to a run that was cut: what is told, and the turns inside of it that are closed with it."""

from collections.abc import Iterator
from datetime import timedelta

from events.retries import ModelCallRetry
from events.turns import MessageTurnStarted
from hosting.domain.lease import Lease
from hosting.domain.step import StepKind
from hosting.runtime.hand import Hand
from hosting.runtime.recovery import Past
from hosting.runtime.steps import Steps
from hosting.runtime.turn import Turn
from hosting.runtime.unfinished import Unfinished


def retry_of(lease: Lease, steps: Steps, *, max_attempts: int) -> ModelCallRetry | None:
    """Return what tells that a model call which the crash cut is made again."""
    if not any(step.key.kind is StepKind.MODEL_CALL for step in steps.cut()):
        return None
    if lease.worker_attempts is not None:
        return worker_lost(lease)
    return ModelCallRetry(
        attempt=max(1, lease.attempt - 1),
        max_retries=max_attempts - 1,
        delay=timedelta(),
        exception_type="RunInterrupted",
        error_message="The server stopped while the model was answering; the answer begins again.",
        event_flow_id=lease.run.turn_id,
    )


def worker_lost(lease: Lease) -> ModelCallRetry:
    """Return what tells that an answer begins again whose worker was lost."""
    lost = max(1, lease.attempt - 1)
    return ModelCallRetry(
        attempt=lost,
        # One that was let go, and not lost, is told of in the same way and not counted.
        max_retries=max(lost, (lease.worker_attempts or 1) - 1),
        delay=timedelta(),
        exception_type="WorkerLost",
        error_message="The worker was lost while it was answering; the answer begins again.",
        event_flow_id=lease.run.turn_id,
    )


def reopen_nested(hand: Hand, past: Past) -> None:
    """Give the turns inside of a run that are open hands, which close them unless somebody goes on with them."""
    hands = dict.fromkeys((past.flows.get(hand.turn.id) or Unfinished()).spans, hand)
    for unfinished, started in sorted(_open_turns(past), key=lambda each: _depth(each[1])):
        turn = Turn(
            id=started.message_turn_id,
            trace_id=started.trace_id or hand.turn.trace_id,
            span_id=started.span_id or hand.turn.span_id,
            agent_id=started.agent_id,
            agent_name=started.agent_name,
            began=started.timestamp or hand.turn.began,
            parent_span_id=started.parent_span_id,
            metadata=started.metadata,
        )
        above = hands.get(started.parent_span_id or "", hand)
        hands |= dict.fromkeys(unfinished.spans, above.nested(turn, unfinished))


def _open_turns(past: Past) -> Iterator[tuple[Unfinished, MessageTurnStarted]]:
    for unfinished in past.flows.values():
        started = unfinished.turn
        if started is not None and started.metadata:
            yield unfinished, started


def _depth(started: MessageTurnStarted) -> int:
    depth = (started.metadata or {}).get("depth")
    # A worker of our own can write anything there, and no run may be without an end for that.
    return depth if isinstance(depth, int) else 0
