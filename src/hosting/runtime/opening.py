"""Opening a desk: for a worker that is new to a run, or for one that another desk was open for before."""

from datetime import timedelta

from events.retries import ModelCallRetry
from hosting.domain.interaction import InteractionState
from hosting.domain.message import MessageState
from hosting.domain.work_item import WorkState
from hosting.ports.work import Claim
from hosting.runtime.beginning import begin_turn, hand_of
from hosting.runtime.closing import close_calls
from hosting.runtime.core import Runtime
from hosting.runtime.desk import Desk
from hosting.runtime.hand import Hand
from hosting.runtime.pen import Pen
from hosting.runtime.recovery import Past, read_past
from hosting.runtime.told import Told


async def open_desk(runtime: Runtime, claim: Claim) -> Desk:
    """Return a desk at which the run goes on: where its worker was, or from the beginning of a worker that is new.

    The claim's fence must be its own, so that no other desk writes for the run.

    Raises:
        LeaseLost: another desk has been opened meanwhile.
        StorageUnavailable: the run's past cannot be read.
    """
    item, lease, told = claim.item, claim.lease, Told()
    pen = Pen(lease, runtime.writer, runtime.serializer, runtime.clock)
    past = Past() if lease.run.turn_id is None else await read_past(runtime, lease, told.see)
    if item.state is WorkState.CLAIMED:
        return await _begin(runtime, claim, pen, past, told)
    desk = Desk(runtime, item, _hand(runtime, claim, pen, past), told)
    desk.resume(past)
    return desk


async def _begin(runtime: Runtime, claim: Claim, pen: Pen, past: Past, told: Told) -> Desk:
    """Let a worker begin: what the one before it was writing is written anew, and what it had called is given up."""
    was_cut = bool(past.being_written())
    past.end_cut_messages(pen, MessageState.DISCARDED)
    hand = _hand(runtime, claim, pen, past)
    told.begin()
    if was_cut:
        hand.put(_again(claim))
        if hand.unfinished.agent_turn is None:
            # The turn of the model that was cut with it is begun again, and has no end before that.
            hand.unfinished.iterations -= 1
    # Whoever begins anew may ask the same again, and is given the answer that there is by then.
    await close_calls(runtime, hand, but_asked=True)
    begin_turn(hand)
    desk = Desk(runtime, claim.item, hand, told)
    desk.update(WorkState.RUNNING)
    return desk


def _hand(runtime: Runtime, claim: Claim, pen: Pen, past: Past) -> Hand:
    hand = hand_of(runtime, pen, past, claim.item.agent_name)
    for asked in past.asked:
        # Who answers writes outside of the run, and its part of the log does not tell of it.
        if asked.state is not InteractionState.OPEN:
            hand.unfinished.settle(asked.id)
    return hand


def _again(claim: Claim) -> ModelCallRetry:
    return ModelCallRetry(
        attempt=max(1, claim.item.claim - 1),
        max_retries=max(1, claim.item.claim - 1),
        delay=timedelta(),
        exception_type="WorkerLost",
        error_message="The worker was lost while it was answering; another one begins the answer again.",
        event_flow_id=claim.lease.run.turn_id,
    )
