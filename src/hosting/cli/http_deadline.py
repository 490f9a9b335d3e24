"""One timer for all the deadlines of one connection."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `passed` when the time set last is over.

    Moving it further away only writes down a time: a connection that is used touches the loop's timers once in a
    long while, not with each request.
    """

    __slots__ = ("_due", "_fires", "_handle", "_loop", "_passed")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._due: float | None = None
        self._fires = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Let it be this long from now, whatever it was."""
        self._due = due = self._loop.time() + seconds
        if self._handle is not None:
            if self._fires <= due:
                return
            self._handle.cancel()
        self._fires = due
        self._handle = self._loop.call_at(due, self._look)

    def lift(self) -> None:
        """Let there be none."""
        self._due = None

    def end(self) -> None:
        """Let there be none for ever; what it would have called is let go."""
        self._due = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._passed = _nothing

    def _look(self) -> None:
        self._handle = None
        if self._due is None:
            return
        if self._loop.time() < self._due:
            self._fires = self._due
            self._handle = self._loop.call_at(self._due, self._look)
            return
        self._due = None
        self._passed()


def _nothing() -> None:
    return
