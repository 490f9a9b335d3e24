"""The ways to show a run."""

from typing import Protocol

from events.ids import RunId
from hosting.client import Received


class View(Protocol):
    """Shows a run as it goes."""

    def follow(self, run_id: RunId) -> None:
        """Know which run is shown."""
        ...

    def show(self, received: Received) -> None:
        """Show one event of the run."""
        ...

    def note(self, sentence: str) -> None:
        """Tell something that is not part of the answer."""
        ...

    def end(self) -> None:
        """Leave the cursor at the beginning of a line."""
        ...
