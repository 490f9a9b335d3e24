"""The assistant's message that a model call writes."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from events.branches import Content, FunctionCall, ReasoningContent, TextContent
from events.ids import IdSource, MessageId, is_client_id
from events.text import (
    ReasoningDelta,
    ReasoningMessageEnd,
    ReasoningMessageStart,
    Role,
    TextDelta,
    TextMessageEnd,
    TextMessageStart,
)
from events.tools import CallType, ToolCallArgs, ToolCallStart
from events.turns import Usage
from hosting.domain.message import Message, MessageState
from hosting.ports.units import CloseMessage, OpenMessage, RunChange
from hosting.runtime.deltas import Deltas
from hosting.runtime.hand import Hand
from hosting.runtime.recovery import Words
from hosting.runtime.turn import flow_of

_Part = type[TextDelta] | type[ReasoningDelta]


class ReplyWriter:
    """Writes one message: reasoning and text, then calls; parts open by themselves. See Reply."""

    def __init__(self, hand: Hand, ids: IdSource, *, joins_deltas: bool = False) -> None:
        self._hand = hand
        self._deltas = Deltas(hand, joined=joins_deltas)
        self._ids = ids
        self._flow = hand.turn.inner(ids.span())
        self.id: MessageId = ids.message()
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._calls: list[FunctionCall] = []
        self.size = 0
        """How many bytes its text and the arguments of its calls are."""
        self._opened = False
        self._ended = False
        self._part: _Part | None = None
        self._attachment: bytes | None = None
        self.usage: Usage | None = None

    def resume(self, message_id: MessageId, words: Words) -> None:
        """Go on with a message that was being written when the server stopped, by somebody outside of it."""
        self.id, self._opened = message_id, True
        self._reasoning, self._text = list(words.reasoning), list(words.text)
        self._calls = list(words.calls.values())
        self.size = sum(len(text.encode()) for text in self._text)
        self.size += sum(len(msgspec.json.encode(call.arguments)) for call in self._calls)
        part = self._hand.unfinished.parts.get(message_id)
        if part is not None:
            self._part = TextDelta if isinstance(part, TextMessageStart) else ReasoningDelta
            self._flow = flow_of(part)

    @property
    def said(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def calls(self) -> Sequence[FunctionCall]:
        """What it calls so far."""
        return self._calls

    async def text(self, piece: str) -> None:
        """See Reply.text."""
        self._speak(piece)
        await self._deltas.tell(TextDelta(text=piece, message_id=self.id))

    def add_text(self, piece: str, turn_id: str | None = None, index: int | None = None) -> None:
        """Write a piece whether there is room for it or not, as what must be of one unit is written."""
        self._speak(piece)
        self._hand.put(TextDelta(text=piece, message_id=self.id, turn_id=turn_id, index=index))

    async def reason(self, piece: str) -> None:
        """See Reply.reason."""
        self._check(piece)
        if self._calls:
            raise ValueError("A message reasons before it calls; begin another model call to reason again.")
        if self._part is not ReasoningDelta:
            self._end_part()
            self._begin(ReasoningMessageStart)
            self._part = ReasoningDelta
        self._reasoning.append(piece)
        await self._deltas.tell(ReasoningDelta(text=piece, message_id=self.id))

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        call_id: str | None = None,
        call_type: CallType = CallType.FUNCTION,
        harness: str | None = None,
    ) -> str:
        """See Reply.call."""
        self._check(name)
        chosen = call_id or self._ids.call()
        if not is_client_id(name) or not is_client_id(chosen):
            raise ValueError(f"The tool {name!r:.100} or the call {chosen!r:.100} has no name that can be sent.")
        given = dict(arguments or {})
        encoded = msgspec.json.encode(given)
        self._end_part()
        self._open()
        self._calls.append(FunctionCall(call_id=chosen, name=name, arguments=msgspec.json.decode(encoded)))
        self.size += len(encoded)
        flow = self._hand.turn.inner(self._ids.span())
        self._hand.put(
            ToolCallStart(
                call_id=chosen,
                name=name,
                message_id=self.id,
                tool_harness_name=harness,
                call_type=call_type,
                **flow,
            )
        )
        await self._hand.emit(ToolCallArgs(call_id=chosen, args_json=encoded.decode()))
        return chosen

    def flush(self) -> None:
        """Tell what was said so far, as far as it waits for more."""
        self._deltas.flush()

    def spend(self, usage: Usage) -> None:
        """See Reply.spend."""
        self.usage = usage if self.usage is None else self.usage + usage

    def attach(self, value: Any) -> None:
        """See Reply.attach."""
        self._attachment = msgspec.json.encode(value)

    def complete(self) -> Message:
        """End the message as the agent meant it; one that was never begun is empty text.

        One that calls tools goes on until they have answered.

        Raises:
            LeaseLost: it is not the agent's to end any more; it is cut by whoever ends the turn.
        """
        self._hand.check()
        if self._part is not TextDelta and not self._calls:
            self._end_part()
            self._begin(TextMessageStart)
            self._part = TextDelta
        message = self._message(MessageState.CALLING if self._calls else self._ended_state)
        self._ended = True
        if self._part is None:
            self._hand.record(CloseMessage(message))
        else:
            self._end_part(CloseMessage(message))
        if self._calls:
            self._hand.unfinished.calling[message.id] = message
        return message

    def cut(self, *, discarded: bool = False) -> None:
        """End the message where it is, if it was begun; its calls are ended by whoever ends the turn.

        A discarded one is no part of the conversation: another is written in its place.
        """
        if self._ended:
            return
        self._ended = True
        if not self._opened:
            return
        self._end_deltas()
        state = MessageState.CALLING if self._calls else self._cut_state
        message = self._message(MessageState.DISCARDED if discarded else state)
        if self._calls and not discarded:
            self._hand.unfinished.calling[message.id] = message
        if self._part is None:
            self._hand.pen.record(CloseMessage(message))
        else:
            self._hand.finish(self._end_of(self._part, interrupted=True), CloseMessage(message))

    @property
    def _cut_state(self) -> MessageState:
        return MessageState.NESTED if self._hand.turn.depth else MessageState.INTERRUPTED

    @property
    def _ended_state(self) -> MessageState:
        return MessageState.NESTED if self._hand.turn.depth else MessageState.COMPLETE

    def _message(self, state: MessageState) -> Message:
        contents: list[Content] = []
        if self._reasoning:
            contents.append(ReasoningContent(text="".join(self._reasoning)))
        if self._text or not self._calls:
            contents.append(TextContent(text="".join(self._text)))
        contents += self._calls
        return Message(
            self.id, Role.ASSISTANT, tuple(contents), state, self._hand.lease.run.id, attachment=self._attachment
        )

    def _speak(self, piece: str) -> None:
        self._check(piece)
        if self._calls:
            raise ValueError("A message speaks before it calls; begin another model call to say more.")
        if self._part is not TextDelta:
            self._end_part()
            self._begin(TextMessageStart)
            self._part = TextDelta
        self._text.append(piece)
        self.size += len(piece.encode())

    def _begin(self, start: type[TextMessageStart] | type[ReasoningMessageStart]) -> None:
        changes: tuple[RunChange, ...] = () if self._opened else (OpenMessage(self._hand.lease.run.id, self.id),)
        self._opened = True
        event = start(message_id=self.id, role=Role.ASSISTANT, **self._flow)
        self._hand.put(event, *changes)

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._hand.record(OpenMessage(self._hand.lease.run.id, self.id))

    def _end_part(self, *changes: RunChange) -> None:
        if self._part is None:
            return
        self._deltas.flush()
        event = self._end_of(self._part)
        self._part = None
        self._hand.put(event, *changes)

    def _end_deltas(self) -> None:
        """Tell what is held if that may still be; else it was never said, and is in no history."""
        if not self._hand.is_withdrawn:
            self._deltas.flush()
        elif untold := self._deltas.drop():
            said = self._text if self._part is TextDelta else self._reasoning
            del said[-untold:]

    def _end_of(self, part: _Part, *, interrupted: bool | None = None) -> TextMessageEnd | ReasoningMessageEnd:
        end = TextMessageEnd if part is TextDelta else ReasoningMessageEnd
        return end(message_id=self.id, interrupted=interrupted, **self._flow)

    def _check(self, piece: object) -> None:
        if self._ended:
            raise RuntimeError("This message has ended; begin another model call to say more.")
        # Before anything is remembered: what an agent says when it was told to stop is in no log, and in no history.
        self._hand.check()
        # Refused before it is remembered: a message that cannot be encoded would end the writer, and with it the
        # server, when the message is closed; and again after each restart, for as long as the run has attempts.
        if not isinstance(piece, str):
            raise TypeError(f"A piece of a message must be str, not {type(piece).__name__}.")
        if not piece.isascii():
            piece.encode()
