"""What a person sees of a run."""

import re
from typing import Protocol

from rich.console import Console

from events.event import Event
from events.retries import ModelCallRetry
from events.text import ReasoningDelta, ReasoningMessageEnd, TextDelta, TextMessageEnd
from hosting.client import Received

# What a terminal would obey instead of showing: C0 without tab and line feed, DEL, C1.
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class View(Protocol):
    """Shows a run as it goes."""

    def show(self, received: Received) -> None:
        """Show one event of the run."""
        ...

    def note(self, sentence: str) -> None:
        """Tell something that is not part of the answer."""
        ...

    def end(self) -> None:
        """Leave the cursor at the beginning of a line."""
        ...


class Transcript:
    """Writes the answer to `answer` and all else to `aside`, where reasoning is dimmed on a terminal."""

    def __init__(self, answer: Console, aside: Console) -> None:
        self._answer = answer
        self._aside = aside
        self._unfinished: Console | None = None
        self._message = ""

    def show(self, received: Received) -> None:
        """See View.show."""
        event: Event | None = received.event
        if isinstance(event, TextDelta):
            self._begin(event.message_id, self._answer)
            self._write(self._answer, event.text)
        elif isinstance(event, ReasoningDelta):
            self._begin(event.message_id, self._aside)
            self._write(self._aside, event.text, style="dim")
        elif isinstance(event, TextMessageEnd | ReasoningMessageEnd):
            self.end()
        elif isinstance(event, ModelCallRetry):
            self.note(f"The answer begins again (attempt {event.attempt + 1} of {event.max_retries + 1}).")

    def note(self, sentence: str) -> None:
        """See View.note."""
        self.end()
        self._aside.out(_tamed(sentence), style="dim yellow", highlight=False)

    def end(self) -> None:
        """See View.end."""
        if self._unfinished is not None:
            self._unfinished.out("", highlight=False)
            self._unfinished = None

    def _begin(self, message_id: str, console: Console) -> None:
        # A message that no event ended, or reasoning that turned into text, must not run into what follows.
        if message_id != self._message or self._unfinished is not console:
            self.end()
        self._message = message_id

    def _write(self, console: Console, piece: str, style: str | None = None) -> None:
        shown = _tamed(piece) if console.is_terminal else piece
        console.out(shown, end="", style=style, highlight=False)
        if shown:
            self._unfinished = None if shown.endswith("\n") else console


class Lines:
    """Writes the exact JSON of every event to `answer`, one a line, and nothing else there."""

    def __init__(self, answer: Console, aside: Console) -> None:
        self._answer = answer
        self._aside = aside

    def show(self, received: Received) -> None:
        """See View.show."""
        self._answer.file.write(f"{received.line}\n")
        self._answer.file.flush()

    def note(self, sentence: str) -> None:
        """See View.note."""
        self._aside.out(_tamed(sentence), style="dim yellow", highlight=False)

    def end(self) -> None:
        """See View.end."""


def _tamed(text: str) -> str:
    return _COMMANDS.sub("", text)
