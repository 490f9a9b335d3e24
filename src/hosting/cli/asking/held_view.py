"""A view that can be held while something is asked."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from events.ids import RunId
from hosting.cli.view import View
from hosting.client import Received

_MOST_HELD: Final = 10_000


class HeldView:
    """Shows a run through another view; while it is held, nothing is shown in the middle of what a person types.

    `full` gets a result when too much is held; whoever holds then lets go for a moment.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._held: list[Callable[[], None]] | None = None
        self._full: asyncio.Future[None] | None = None

    def hold(self) -> asyncio.Future[None]:
        """Show nothing from now on, and return what gets a result when too much is held; pair with `release`."""
        self._view.end()
        self._held = []
        self._full = asyncio.get_running_loop().create_future()
        return self._full

    def release(self) -> None:
        """Show what was held, and everything from now on."""
        held, self._held = self._held or [], None
        for show in held:
            show()

    def follow(self, run_id: RunId) -> None:
        """See View.follow."""
        self._view.follow(run_id)

    def show(self, received: Received) -> None:
        """See View.show."""
        self._do(partial(self._view.show, received))

    def note(self, sentence: str) -> None:
        """See View.note."""
        self._do(partial(self._view.note, sentence))

    def end(self) -> None:
        """See View.end."""
        self._do(self._view.end)

    def _do(self, show: Callable[[], None]) -> None:
        if self._held is None:
            show()
            return
        self._held.append(show)
        if len(self._held) >= _MOST_HELD and self._full is not None and not self._full.done():
            self._full.set_result(None)
