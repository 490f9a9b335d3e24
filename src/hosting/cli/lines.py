"""A run as the lines of its log."""

from rich.console import Console

from events.ids import RunId
from hosting.cli.legible import tamed
from hosting.client import Received


class Lines:
    """Writes the exact JSON of every event to `answer`, one a line, and nothing else there."""

    def __init__(self, answer: Console, aside: Console) -> None:
        self._answer = answer
        self._aside = aside

    def follow(self, run_id: RunId) -> None:
        """See View.follow."""

    def show(self, received: Received) -> None:
        """See View.show."""
        self._answer.file.write(f"{received.line}\n")
        self._answer.file.flush()

    def note(self, sentence: str) -> None:
        """See View.note."""
        self._aside.out(tamed(sentence), style="dim yellow", highlight=False)

    def end(self) -> None:
        """See View.end."""
