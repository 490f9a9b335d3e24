"""What was said and done in a conversation, read from its events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from events.event import Event
from events.interactions import Request
from events.retries import ModelCallRetry
from events.runs import BranchRunCompleted, RunStatus
from events.text import TextDelta, TextMessageEnd, TextMessageStart
from events.tools import ResultType, ToolCallArgs, ToolCallResult, ToolCallStart

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: what it was made with, and what it came to; `outcome` is None for what the tool returned."""

    name: str
    arguments: dict[str, Any]
    result: str | None
    outcome: ResultType | None


class Conversation:
    """A conversation that has ended; what agents inside of the agent said and did is in `events` alone."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = tuple(events)

    @property
    def said(self) -> list[str]:
        """What the agent has said, message by message; those are left out that say nothing or were written anew."""
        texts: dict[str, str] = {}
        last = ""
        for event in self._own(Event):
            if isinstance(event, TextMessageStart):
                texts.setdefault(event.message_id, "")
            elif isinstance(event, TextDelta):
                texts[event.message_id] += event.text
            elif isinstance(event, TextMessageEnd):
                last = event.message_id if event.interrupted else ""
            elif isinstance(event, ModelCallRetry):
                texts.pop(last, None)
        return [text for text in texts.values() if text]

    @property
    def text(self) -> str:
        """All that the agent has said, a message after the other."""
        return "\n".join(self.said)

    @property
    def calls(self) -> list[Call]:
        """The tool calls, in the order in which they were begun."""
        arguments = {event.call_id: event.args_json for event in self._own(ToolCallArgs)}
        results = {event.call_id: event.result for event in self._own(ToolCallResult)}
        return [
            Call(
                event.name,
                msgspec.json.decode(arguments.get(event.call_id, "{}")),
                results[event.call_id].text if event.call_id in results else None,
                results[event.call_id].result_type if event.call_id in results else None,
            )
            for event in self._own(ToolCallStart)
        ]

    @property
    def asked(self) -> list[Request]:
        """What was asked, in order, by agents inside of the agent too."""
        return [event for event in self.events if isinstance(event, Request)]

    @property
    def status(self) -> RunStatus:
        """How the last run has ended."""
        return self._end().status

    @property
    def error(self) -> str | None:
        """Why the last run has failed, as its users are told it (`OutOfStock: There are no pears.`), if it has."""
        end = self._end()
        return f"{end.error_type}: {end.error_message}" if end.error_type else None

    def __repr__(self) -> str:
        # What a failed assertion shows of it.
        shown = {"status": self.status.value, "error": self.error, "said": self.said, "calls": self.calls}
        return f"Conversation({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def _own(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind) and not (event.metadata or {}).get("depth")]

    def _end(self) -> BranchRunCompleted:
        return [event for event in self.events if isinstance(event, BranchRunCompleted)][-1]
