"""Closing what a turn has left open, in the order in which clients expect it (docs/reference/wire.md)."""

from collections.abc import Collection
from typing import Final

from events.branches import FunctionResult
from events.event import Event
from events.interactions import AgentRequestCancelled, Request
from events.interruption import InterruptionHandled
from events.serializer import Stamp
from events.tools import ToolCallEnd, ToolCallResult, ToolCallStart
from events.turns import AgentTurnFinished, MessageTurnFinished
from hosting.domain.errors import LeaseLost
from hosting.domain.interaction import InteractionState
from hosting.domain.interrupt import Interrupt
from hosting.domain.message import Message, MessageState
from hosting.ports.units import CloseMessage, Refusal, SettleInteraction, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.hand import Hand
from hosting.runtime.tool_results import INTERRUPTED
from hosting.runtime.turn import flow_of
from hosting.runtime.unfinished import Unfinished

INTERRUPTED_REASON: Final = "interrupted"
GIVEN_UP_REASON: Final = "given_up"
"""What the agent has begun, it has not waited for."""


async def close_turn(
    runtime: Runtime, hand: Hand, *, reason: str, finished: bool, termination: str | None = None
) -> None:
    """Close the questions, calls and messages of a turn, after those of the turns inside of it.

    With `finished` the model's turn is told to have finished too, with `termination` if that was not by itself.
    `reason` is for whoever was asked.
    """
    await cancel_questions(runtime, hand, reason=reason)
    _close(runtime, hand, finished=finished, termination=termination)


async def cancel_questions(runtime: Runtime, hand: Hand, *, reason: str) -> None:
    """Cancel what a turn, and those inside of it, still ask; `reason` is for whoever was asked."""
    for asking in _all(hand):
        for request in list(asking.unfinished.requests.values()):
            await _cancel(runtime, asking, request, reason)


async def cancel_question(runtime: Runtime, hand: Hand, request_id: str, *, reason: str) -> None:
    """Cancel one question, if it is still asked."""
    request = hand.unfinished.requests.get(request_id)
    if request is not None:
        await _cancel(runtime, hand, request, reason)


async def close_calls(runtime: Runtime, hand: Hand, *, but_asked: bool = False) -> None:
    """Close the calls that an agent goes on without, and what is asked about them.

    With `but_asked` those that somebody is asked about stay as they are.
    """
    asked = {
        call_id: request_id
        for request_id, request in hand.unfinished.requests.items()
        if (call_id := getattr(request, "call_id", None)) in hand.unfinished.calls
    }
    if but_asked:
        _end_calls(hand, asked)
        _end_calling(hand, asked)
        return
    for request_id in asked.values():
        await cancel_question(runtime, hand, request_id, reason=GIVEN_UP_REASON)
    _end_calls(hand)
    _end_calling(hand)


def tell_interrupted(hand: Hand, wish: Interrupt) -> None:
    """Tell that a turn is interrupted: once, although the server may stop before the turn has ended."""
    if not hand.unfinished.interrupted:
        hand.finish(InterruptionHandled(reason=wish.reason, source=wish.source, event_flow_id=hand.turn.id))


def turn_finished(runtime: Runtime, hand: Hand, termination: str | None = None) -> MessageTurnFinished:
    """Return what tells that a turn has finished."""
    run, turn = hand.lease.run, hand.turn
    return MessageTurnFinished(
        message_turn_id=turn.id,
        conversation_id=run.scope.session_id,
        runtime_run_id=run.id,
        agent_id=turn.agent_id,
        agent_name=turn.agent_name,
        duration=runtime.clock() - turn.began,
        usage=hand.usage,
        iteration=hand.unfinished.iterations,
        termination_reason=termination,
        **turn.flow,
    )


def _all(hand: Hand) -> list[Hand]:
    return [deeper for inside in hand.inside for deeper in _all(inside)] + [hand]


async def _cancel(runtime: Runtime, hand: Hand, request: Request, reason: str) -> None:
    """Cancel a question, unless it was answered before anybody noticed."""
    lease, now = hand.lease, runtime.clock()
    scope = lease.run.scope
    cancelled = AgentRequestCancelled(
        request_id=request.request_key,
        source_name=request.source_name,
        request_event_type=runtime.serializer.catalog.name_of(type(request)),
        reason=reason,
        cancelled_at=now,
        event_flow_id=hand.turn.id,
    )
    unit = Unit(
        scope.tenant,
        lease.run.branch_key,
        lease.run.id,
        lease.fence,
        [SettleInteraction(request.request_key, InteractionState.CANCELLED)],
        [runtime.serializer.encode(hand.placed(cancelled), Stamp(scope.session_id, scope.branch_id).at(now))],
    )
    if await runtime.writer.append_to(unit) is Refusal.FENCED:
        raise LeaseLost(lease.run.id)
    hand.unfinished.settle(request.request_key)


def _close(runtime: Runtime, hand: Hand, *, finished: bool, termination: str | None) -> None:
    for inside in list(hand.inside):
        _close(runtime, inside, finished=True, termination=INTERRUPTED_REASON)
        if inside.unfinished.turn is not None:
            inside.finish(turn_finished(runtime, inside, INTERRUPTED_REASON))
        inside.end()
    _end_calls(hand)
    for reply in hand.replies:
        reply.cut()
    hand.replies.clear()
    _end_calling(hand)
    begun = hand.unfinished.agent_turn
    if finished and begun is not None:
        hand.finish(AgentTurnFinished(iteration=begun.iteration, termination_reason=termination, **hand.turn.flow))


def _end_calls(hand: Hand, but: Collection[str] = ()) -> None:
    for call in [call for call in hand.unfinished.calls.values() if call.call_id not in but]:
        for event in interrupted_call(call, answered=call.call_id in hand.unfinished.results):
            hand.finish(event)


def _end_calling(hand: Hand, but: Collection[str] = ()) -> None:
    for message in list(hand.unfinished.calling.values()):
        if any(call.call_id in but for call in message.calls):
            continue
        hand.pen.record(CloseMessage(_with_results(message, hand.unfinished, nested=bool(hand.turn.depth))))
        hand.unfinished.answered(message)


def interrupted_call(call: ToolCallStart, *, answered: bool = False) -> list[Event]:
    """Return what ends a call that will have no result of its own."""
    end = ToolCallEnd(call_id=call.call_id, metadata=call.metadata, **flow_of(call))
    if answered:
        return [end]
    result = ToolCallResult(
        call_id=call.call_id,
        result=INTERRUPTED,
        call_type=call.call_type,
        name=call.name,
        message_id=call.message_id,
        metadata=call.metadata,
        event_flow_id=call.event_flow_id if call.metadata else None,
    )
    return [result, end]


def _with_results(message: Message, unfinished: Unfinished, *, nested: bool) -> Message:
    results = tuple(
        FunctionResult(call_id=call.call_id, result=unfinished.results.get(call.call_id, INTERRUPTED))
        for call in message.calls
    )
    state = MessageState.NESTED if nested else MessageState.INTERRUPTED
    return Message(message.id, message.role, (*message.contents, *results), state, message.run_id)
