"""What a worker has told so far that its next report may be about, found out from the events of its run."""

from collections import defaultdict
from dataclasses import dataclass

from events.event import Event
from events.ids import MessageId
from events.retries import ModelCallRetry
from events.text import TextDelta, TextMessageEnd
from events.tools import ResultType, ToolCallResult, ToolCallStart, ToolResult
from events.turns import MessageTurnStarted
from events.work import WorkActivity

RESPONSE = "response"
"""The type of an activity that tells what an agent answers."""


@dataclass(slots=True)
class Said:
    """A message that has ended; one that calls was not the last word."""

    id: MessageId
    text: str
    calls: bool = False

    def is_part_of(self, whole: str) -> bool:
        """Say whether it could be `whole` with some pieces missing."""
        left = iter(whole)
        return all(character in left for character in self.text)


class Told:
    """Remembers the last words since the agent has begun, and every call of the run.

    `answer` is what the last activity of the type `response` said; `said` the last message with any text.
    `answered` are the calls that have a result of their tool's. `beginnings` counts how often the agent has begun.
    """

    def __init__(self) -> None:
        self.beginnings = 0
        self.said: Said | None = None
        self.answer = ""
        self.calls: set[str] = set()
        self.answered: set[str] = set()
        self._pieces: defaultdict[MessageId, list[str]] = defaultdict(list)

    def see(self, event: Event) -> None:
        """Take note of an event of the past."""
        if isinstance(event, TextDelta):
            self._pieces[event.message_id].append(event.text)
        elif isinstance(event, TextMessageEnd):
            text = "".join(self._pieces.pop(event.message_id, ()))
            if text and not event.interrupted:
                self.said = Said(event.message_id, text)
        elif isinstance(event, ToolCallStart):
            self.calls.add(event.call_id)
            if self.said is not None and self.said.id == event.message_id:
                self.said.calls = True
        elif isinstance(event, ToolCallResult):
            self.note_result(event.call_id, event.result)
        elif isinstance(event, WorkActivity):
            if event.activity_type == RESPONSE:
                self.answer = event.content
        elif isinstance(event, ModelCallRetry):
            self.take_back()
        elif isinstance(event, MessageTurnStarted):
            self.begin()

    def note_result(self, call_id: str, result: ToolResult) -> None:
        """Take note of what a call came to, unless it was given up."""
        if result.result_type is not ResultType.INTERRUPTED:
            self.answered.add(call_id)

    def begin(self) -> None:
        """Know that the agent begins, or another worker's begins again: what was said before are not its words."""
        self.beginnings += 1
        self.take_back()

    def take_back(self) -> None:
        """Know that what was said last is no part of the conversation any more."""
        self.said = None
        self.answer = ""
