"""The assistant's message that a model call writes."""

from events.branches import Content, ReasoningContent, TextContent
from events.ids import IdSource, MessageId
from events.text import (
    ReasoningDelta,
    ReasoningMessageEnd,
    ReasoningMessageStart,
    Role,
    TextDelta,
    TextMessageEnd,
    TextMessageStart,
)
from hosting.domain.message import Message, MessageState
from hosting.ports.units import CloseMessage, OpenMessage, RunChange
from hosting.runtime.pen import Pen
from hosting.runtime.turn import Turn


class ReplyWriter:
    """Writes one message: reasoning first, if any, then text; both parts open by themselves. See the door, Reply."""

    def __init__(self, pen: Pen, ids: IdSource, turn: Turn) -> None:
        self._pen = pen
        self._flow = turn.inner(ids.span())
        self.id: MessageId = ids.message()
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._opened = False
        self._ended = False
        self._part: type[TextDelta] | type[ReasoningDelta] | None = None

    async def text(self, piece: str) -> None:
        """See Reply.text."""
        self._check(piece)
        if self._part is not TextDelta:
            self._end_part()
            self._begin(TextMessageStart)
            self._part = TextDelta
        self._text.append(piece)
        await self._pen.emit(TextDelta(text=piece, message_id=self.id))

    async def reason(self, piece: str) -> None:
        """See Reply.reason."""
        self._check(piece)
        if self._part is TextDelta:
            raise ValueError("A message reasons before it speaks; begin another model call to reason again.")
        if self._part is None:
            self._begin(ReasoningMessageStart)
            self._part = ReasoningDelta
        self._reasoning.append(piece)
        await self._pen.emit(ReasoningDelta(text=piece, message_id=self.id))

    def complete(self) -> Message:
        """End the message as the agent meant it; one that was never begun is empty text."""
        if self._part is not TextDelta:
            self._end_part()
            self._begin(TextMessageStart)
            self._part = TextDelta
        message = self._message(MessageState.COMPLETE)
        self._ended = True
        self._end_part(CloseMessage(message))
        return message

    def cut(self) -> None:
        """End the message where it is, if it was begun."""
        self._ended = True
        if self._opened:
            self._end_part(CloseMessage(self._message(MessageState.INTERRUPTED)), interrupted=True)

    def _message(self, state: MessageState) -> Message:
        contents: list[Content] = []
        if self._reasoning:
            contents.append(ReasoningContent(text="".join(self._reasoning)))
        contents.append(TextContent(text="".join(self._text)))
        return Message(self.id, Role.ASSISTANT, tuple(contents), state, self._pen.lease.run.id)

    def _begin(self, start: type[TextMessageStart] | type[ReasoningMessageStart]) -> None:
        changes: tuple[RunChange, ...] = () if self._opened else (OpenMessage(self._pen.lease.run.id, self.id),)
        self._opened = True
        event = start(message_id=self.id, role=Role.ASSISTANT, **self._flow)
        self._pen.put(event, *changes)

    def _end_part(self, *changes: RunChange, interrupted: bool | None = None) -> None:
        if self._part is TextDelta:
            event: TextMessageEnd | ReasoningMessageEnd = TextMessageEnd(
                message_id=self.id, interrupted=interrupted, **self._flow
            )
        elif self._part is ReasoningDelta:
            event = ReasoningMessageEnd(message_id=self.id, interrupted=interrupted, **self._flow)
        else:
            return
        self._part = None
        self._pen.put(event, *changes)

    def _check(self, piece: object) -> None:
        if self._ended:
            raise RuntimeError("This message has ended; begin another model call to say more.")
        # Refused before it is remembered: a message that cannot be encoded would end the writer, and with it the
        # server, when the message is closed; and again after each restart, for as long as the run has attempts.
        if not isinstance(piece, str):
            raise TypeError(f"A piece of a message must be str, not {type(piece).__name__}.")
        if not piece.isascii():
            piece.encode()
