"""What a run had done before it was cut, read again from its rows and its part of the log."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from events.branches import Content, FunctionCall, ReasoningContent, TextContent
from events.event import Event
from events.ids import MessageId
from events.interactions import AgentRequestCancelled, AgentRequestExpired, Response
from events.text import (
    ReasoningDelta,
    ReasoningMessageEnd,
    ReasoningMessageStart,
    TextDelta,
    TextMessageEnd,
    TextMessageStart,
)
from events.tools import ToolCallArgs, ToolCallStart
from hosting.domain.interaction import Interaction
from hosting.domain.lease import Lease
from hosting.domain.message import Message, MessageState
from hosting.domain.step import Step
from hosting.ports.units import CloseMessage
from hosting.runtime.closing import interrupted_call
from hosting.runtime.core import Runtime
from hosting.runtime.pen import Pen
from hosting.runtime.turn import flow_of
from hosting.runtime.unfinished import Unfinished


@dataclass(slots=True)
class Past:
    """A run's past: its steps, what it had asked, and what each of its turns had left unfinished."""

    steps: Sequence[Step] = ()
    asked: Sequence[Interaction] = ()
    flows: dict[str, Unfinished] = field(default_factory=dict)
    _open: Sequence[Message] = ()
    _words: "dict[MessageId, Words]" = field(default_factory=dict)

    def being_written(self) -> "dict[MessageId, Words]":
        """Return the messages that were being written, with what the log holds of them."""
        return {
            message.id: self._words.get(message.id) or Words()
            for message in self._open
            if message.state is MessageState.OPEN
        }

    def end_cut_messages(self, pen: Pen, state: MessageState) -> None:
        """End the messages that the crash cut, `interrupted`, and what they had begun to call."""
        for message in self._open:
            if message.state is not MessageState.OPEN:
                continue
            words = self._words.get(message.id) or Words()
            unfinished = self.flows.get(words.flow) or Unfinished()
            for call in [call for call in unfinished.calls.values() if call.message_id == message.id]:
                for event in interrupted_call(call):
                    _put(pen, unfinished, event)
            nested = words.nested and state.is_ended
            ended = Message(
                message.id, message.role, words.contents(), MessageState.NESTED if nested else state, message.run_id
            )
            _end(pen, unfinished, ended)
            if state is MessageState.DISCARDED and not unfinished.calling:
                # It belonged to the model call that was cut with the message, which is made anew.
                unfinished.agent_turn = None


async def read_past(runtime: Runtime, lease: Lease, see: Callable[[Event], None] | None = None) -> Past:
    """Read a run's past; `see` is told of each of its events."""
    run, reads = lease.run, runtime.run_reads
    past = Past(await reads.steps(run.id), await reads.interactions(run.id))
    past._open = await reads.open_messages(run.id)
    flows: dict[str, Unfinished] = defaultdict(Unfinished)
    words: dict[MessageId, Words] = defaultdict(Words)
    async for page in runtime.log.run_pages(run.branch_key, run.id):
        for line in page.lines:
            event = runtime.serializer.decode(line)
            if event is None:
                continue
            _see(flows, words, event, run.turn_id or "")
            if see is not None:
                see(event)
    for message in past._open:
        if message.state is MessageState.CALLING:
            flows[words[message.id].flow].calling[message.id] = message
    past.flows, past._words = dict(flows), dict(words)
    return past


class Words:
    """What the log holds of one message: the pieces that it was written in, and what it calls."""

    def __init__(self) -> None:
        self.flow = ""
        self.nested = False
        self.reasoning: list[str] = []
        self.text: list[str] = []
        self.calls: dict[str, FunctionCall] = {}

    def see(self, event: Event, flow: str) -> None:
        """Take note of an event of the message, in a turn's flow."""
        if isinstance(event, TextMessageStart | ReasoningMessageStart | ToolCallStart):
            self.flow, self.nested = flow, event.metadata is not None
            if isinstance(event, ToolCallStart):
                self.calls[event.call_id] = FunctionCall(call_id=event.call_id, name=event.name, arguments={})
        elif isinstance(event, TextDelta):
            self.text.append(event.text)
        elif isinstance(event, ReasoningDelta):
            self.reasoning.append(event.text)

    def called(self, event: ToolCallArgs) -> None:
        """Take note of the arguments of a call, if it is one of this message's."""
        call = self.calls.get(event.call_id)
        if call is not None:
            self.calls[event.call_id] = replace(call, arguments=_arguments(event.args_json))

    def contents(self) -> tuple[Content, ...]:
        """Return what was said."""
        reasoning: tuple[Content, ...] = (ReasoningContent(text="".join(self.reasoning)),) if self.reasoning else ()
        return (*reasoning, TextContent(text="".join(self.text)))


def _arguments(written: str) -> dict[str, Any]:
    """Return the arguments of a call; none where they cannot be read, as a worker of our own can write them."""
    try:
        given = msgspec.json.decode(written)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _see(flows: dict[str, Unfinished], words: dict[MessageId, Words], event: Event, root: str) -> None:
    flow = event.event_flow_id or root
    if isinstance(event, Response | AgentRequestExpired | AgentRequestCancelled):
        # Written by whoever settled the question, who need not know which turn had asked.
        for unfinished in flows.values():
            unfinished.see(event)
        return
    flows[flow].see(event)
    message_id = getattr(event, "message_id", None)
    if message_id is not None:
        words[message_id].see(event, flow)
    elif isinstance(event, ToolCallArgs):
        for said in words.values():
            said.called(event)


def _end(pen: Pen, unfinished: Unfinished, message: Message) -> None:
    change, part = CloseMessage(message), unfinished.parts.get(message.id)
    if part is None:
        pen.record(change)
        return
    end = TextMessageEnd if isinstance(part, TextMessageStart) else ReasoningMessageEnd
    event = end(message_id=message.id, interrupted=True, metadata=part.metadata, **flow_of(part))
    pen.put(event, change)
    unfinished.see(event)


def _put(pen: Pen, unfinished: Unfinished, event: Event) -> None:
    pen.put(event)
    unfinished.see(event)
