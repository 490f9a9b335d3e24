"""What a turn has begun and not ended, found out from its events as they are written, or read again after a crash."""

from collections.abc import Callable

from events.event import Event
from events.ids import MessageId
from events.interactions import AgentRequestCancelled, AgentRequestExpired, Request, Response
from events.interruption import InterruptionHandled
from events.text import ReasoningMessageEnd, ReasoningMessageStart, TextMessageEnd, TextMessageStart
from events.tools import ToolCallEnd, ToolCallResult, ToolCallStart, ToolResult
from events.turns import (
    AgentTurnFinished,
    AgentTurnStarted,
    MessageTurnError,
    MessageTurnFinished,
    MessageTurnStarted,
)
from hosting.domain.message import Message

_See = Callable[["Unfinished", Event], None]


class Unfinished:
    """What is open in one turn, each as the event that opened it.

    `calling` are the messages whose calls have not all been answered, `results` the answers that there are.
    `interrupted` says that the turn was told to be interrupted, and has not ended since; `spans` are those that it has
    had, a new one each time that it began again.
    """

    def __init__(self) -> None:
        self.turn: MessageTurnStarted | None = None
        self.spans: set[str] = set()
        self.interrupted = False
        self.iterations = 0
        self.agent_turn: AgentTurnStarted | None = None
        self.parts: dict[MessageId, TextMessageStart | ReasoningMessageStart] = {}
        self.calls: dict[str, ToolCallStart] = {}
        self.requests: dict[str, Request] = {}
        self.results: dict[str, ToolResult] = {}
        self.calling: dict[MessageId, Message] = {}

    def see(self, event: Event) -> None:
        """Take note of an event."""
        kind = type(event)
        sees = _SEES.get(kind, _unknown)
        if sees is _unknown:
            # A custom request or response is known by its base; looked up once for each class.
            base = next((base for base in (Request, Response) if issubclass(kind, base)), None)
            sees = _SEES[kind] = _SEES[base] if base else None
        if sees is not None:
            sees(self, event)

    def settle(self, request_id: str) -> None:
        """Know that a question is open no more."""
        self.requests.pop(request_id, None)

    def answered(self, message: Message) -> None:
        """Know that all calls of a message have their results."""
        self.calling.pop(message.id, None)
        for call in message.calls:
            self.results.pop(call.call_id, None)


def _unknown(unfinished: Unfinished, event: Event) -> None:
    """Stand for a class that was never looked up."""


def _turn_started(unfinished: Unfinished, event: MessageTurnStarted) -> None:
    unfinished.turn = event
    if event.span_id is not None:
        unfinished.spans.add(event.span_id)


def _turn_ended(unfinished: Unfinished, event: Event) -> None:
    unfinished.turn = None


def _interrupted(unfinished: Unfinished, event: Event) -> None:
    unfinished.interrupted = True


def _agent_turn_started(unfinished: Unfinished, event: AgentTurnStarted) -> None:
    unfinished.agent_turn = event
    unfinished.iterations = max(unfinished.iterations, event.iteration)


def _agent_turn_finished(unfinished: Unfinished, event: Event) -> None:
    unfinished.agent_turn = None


def _part_started(unfinished: Unfinished, event: TextMessageStart | ReasoningMessageStart) -> None:
    unfinished.parts[event.message_id] = event


def _part_ended(unfinished: Unfinished, event: TextMessageEnd | ReasoningMessageEnd) -> None:
    unfinished.parts.pop(event.message_id, None)


def _call_started(unfinished: Unfinished, event: ToolCallStart) -> None:
    unfinished.calls[event.call_id] = event


def _call_answered(unfinished: Unfinished, event: ToolCallResult) -> None:
    unfinished.results[event.call_id] = event.result


def _call_ended(unfinished: Unfinished, event: ToolCallEnd) -> None:
    unfinished.calls.pop(event.call_id, None)


def _asked(unfinished: Unfinished, event: Request) -> None:
    unfinished.requests[event.request_key] = event


def _responded(unfinished: Unfinished, event: Response) -> None:
    unfinished.settle(event.request_key)


def _gave_up(unfinished: Unfinished, event: AgentRequestExpired | AgentRequestCancelled) -> None:
    unfinished.settle(event.request_id)


_SEES: dict[type[Event] | None, Callable[..., None] | None] = {
    MessageTurnStarted: _turn_started,
    MessageTurnFinished: _turn_ended,
    MessageTurnError: _turn_ended,
    InterruptionHandled: _interrupted,
    AgentTurnStarted: _agent_turn_started,
    AgentTurnFinished: _agent_turn_finished,
    TextMessageStart: _part_started,
    ReasoningMessageStart: _part_started,
    TextMessageEnd: _part_ended,
    ReasoningMessageEnd: _part_ended,
    ToolCallStart: _call_started,
    ToolCallResult: _call_answered,
    ToolCallEnd: _call_ended,
    Request: _asked,
    Response: _responded,
    AgentRequestExpired: _gave_up,
    AgentRequestCancelled: _gave_up,
}
