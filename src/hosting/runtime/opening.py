"""Opening a desk: for a worker that is new to a run, or for one that another desk was open for before."""

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
from hosting.runtime.reentry import worker_lost
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
    # A worker of our own has it `running` before it writes anything, and may report like any other all the same.
    if item.state is WorkState.CLAIMED or lease.run.turn_id is None:
        return await _begin(runtime, claim, pen, past, told)
    desk = Desk(runtime, item, _hand(runtime, pen, past), told)
    desk.resume(past)
    return desk


async def _begin(runtime: Runtime, claim: Claim, pen: Pen, past: Past, told: Told) -> Desk:
    """Let a worker begin: what the one before it was writing is written anew, and what it had called is given up."""
    was_cut = bool(past.being_written())
    past.end_cut_messages(pen, MessageState.DISCARDED)
    hand = _hand(runtime, pen, past, claim.item.agent_name)
    told.begin()
    if was_cut:
        hand.put(worker_lost(claim.lease))
        if hand.unfinished.agent_turn is None:
            # The turn of the model that was cut with it is begun again, and has no end before that.
            hand.unfinished.iterations -= 1
    # Whoever begins anew may ask the same again, and is given the answer that there is by then.
    await close_calls(runtime, hand, but_asked=True)
    begin_turn(hand)
    desk = Desk(runtime, claim.item, hand, told)
    if claim.item.state is WorkState.CLAIMED:
        desk.update(WorkState.RUNNING)
    return desk


def _hand(runtime: Runtime, pen: Pen, past: Past, agent_name: str | None = None) -> Hand:
    hand = hand_of(runtime, pen, past, agent_name)
    for asked in past.asked:
        # Who answers writes outside of the run, and its part of the log does not tell of it.
        if asked.state is not InteractionState.OPEN:
            hand.unfinished.settle(asked.id)
    return hand
