"""How the turn of a run begins, or begins again."""

from events.turns import MessageTurnStarted
from hosting.domain.route import routes_of
from hosting.ports.units import BeginTurn
from hosting.runtime.core import Runtime
from hosting.runtime.hand import Hand
from hosting.runtime.pen import Pen
from hosting.runtime.recovery import Past
from hosting.runtime.turn import Turn


def hand_of(runtime: Runtime, pen: Pen, past: Past, agent_name: str | None = None) -> Hand:
    """Return the hand that writes the turn of a run, with what the run had left unfinished.

    With `agent_name` an agent begins it, for the first time or once more; without, it goes on, or ends, as it began.
    """
    ids, run = runtime.ids, pen.lease.run
    unfinished = past.flows.get(run.turn_id or "")
    started = None if agent_name or unfinished is None else unfinished.turn
    turn = Turn(
        id=run.turn_id or ids.turn(),
        trace_id=run.trace_id or ids.trace(),
        span_id=ids.span(),
        agent_id=run.agent_id,
        agent_name=agent_name or (started.agent_name if started else run.agent_id),
        began=(started.timestamp if started else None) or runtime.clock(),
    )
    hand = Hand(pen, turn, unfinished)
    for route in routes_of(run, past.steps):
        # It ends for whoever it was given to, also when its agent does not begin again.
        hand.work_by(route.arm(run.scope.tenant))
    return hand


def begin_turn(hand: Hand) -> None:
    """Tell that the turn begins, for the first time or once more."""
    run, turn = hand.lease.run, hand.turn
    first = () if run.turn_id else (BeginTurn(run.id, turn.id, turn.trace_id),)
    started = MessageTurnStarted(
        message_turn_id=turn.id,
        conversation_id=run.scope.session_id,
        runtime_run_id=run.id,
        agent_id=run.agent_id,
        agent_name=turn.agent_name,
        input_message_count=len(hand.lease.input),
        is_resume=run.turn_id is not None,
        **turn.flow,
    )
    hand.put(started, *first)
