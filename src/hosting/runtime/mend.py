"""Mending a run that was cut by a crash, before it begins again."""

from datetime import timedelta

from events.branches import Content, ReasoningContent, TextContent
from events.event import Event
from events.ids import MessageId
from events.retries import ModelCallRetry
from events.text import (
    ReasoningDelta,
    ReasoningMessageEnd,
    ReasoningMessageStart,
    TextDelta,
    TextMessageEnd,
    TextMessageStart,
)
from hosting.domain.lease import Lease
from hosting.domain.message import Message, MessageState
from hosting.domain.step import StepKind
from hosting.ports.units import CloseMessage
from hosting.runtime.core import Runtime
from hosting.runtime.pen import Pen
from hosting.runtime.steps import Steps
from hosting.runtime.turn import Flow, flow_of


async def close_cut_messages(runtime: Runtime, pen: Pen) -> None:
    """End the messages that the crash cut, `interrupted`; they are no part of the conversation."""
    run = pen.lease.run
    for message in await runtime.run_reads.open_messages(run.id):
        cut = await _read_cut(runtime, pen.lease, message)
        change = CloseMessage(Message(message.id, message.role, cut.contents(), MessageState.DISCARDED, run.id))
        if cut.open_part is TextMessageStart:
            pen.put(TextMessageEnd(message_id=message.id, interrupted=True, **cut.flow), change)
        elif cut.open_part is ReasoningMessageStart:
            pen.put(ReasoningMessageEnd(message_id=message.id, interrupted=True, **cut.flow), change)
        else:
            pen.record(change)


def tell_retry(pen: Pen, steps: Steps, *, max_attempts: int) -> None:
    """Tell that a model call which the crash cut is made again."""
    if not any(step.key.kind is StepKind.MODEL_CALL for step in steps.cut()):
        return
    pen.put(
        ModelCallRetry(
            attempt=max(1, pen.lease.attempt - 1),
            max_retries=max_attempts - 1,
            delay=timedelta(),
            exception_type="RunInterrupted",
            error_message="The server stopped while the model was answering; the answer begins again.",
            event_flow_id=pen.lease.run.turn_id,
        )
    )


class _Cut:
    """What the log holds of one message."""

    def __init__(self) -> None:
        self.open_part: type[Event] | None = None
        self.flow: Flow = {}
        self._reasoning: list[str] = []
        self._text: list[str] = []

    def see(self, event: Event | None, message_id: MessageId) -> None:
        if getattr(event, "message_id", None) != message_id:
            return
        if isinstance(event, TextMessageStart | ReasoningMessageStart):
            self.open_part = type(event)
            self.flow = flow_of(event)
        elif isinstance(event, TextMessageEnd | ReasoningMessageEnd):
            self.open_part = None
        elif isinstance(event, TextDelta):
            self._text.append(event.text)
        elif isinstance(event, ReasoningDelta):
            self._reasoning.append(event.text)

    def contents(self) -> tuple[Content, ...]:
        reasoning: tuple[Content, ...] = (ReasoningContent(text="".join(self._reasoning)),) if self._reasoning else ()
        return (*reasoning, TextContent(text="".join(self._text)))


async def _read_cut(runtime: Runtime, lease: Lease, message: Message) -> _Cut:
    cut = _Cut()
    async for page in runtime.log.run_pages(lease.run.branch_key, lease.run.id):
        for line in page.lines:
            cut.see(runtime.serializer.decode(line), message.id)
    return cut
