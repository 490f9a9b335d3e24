"""The pieces of a message on their way to the log: each by itself, or those that come close together as one."""

import asyncio
from typing import Final

from events.text import ReasoningDelta, TextDelta
from hosting.runtime.hand import Hand
from middleware.errors import Withdrawn

_APART_SECONDS: Final = 0.04

Delta = TextDelta | ReasoningDelta


class Deltas:
    """Tells each piece as it comes; with `joined`, at most one event in 40 ms, the first of all at once."""

    def __init__(self, hand: Hand, *, joined: bool) -> None:
        self._hand = hand
        self._joined = joined
        self._held: list[Delta] = []
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def tell(self, delta: Delta) -> None:
        """Tell a piece now or soon; raises as Hand.put does."""
        if not self._joined:
            await self._hand.emit(delta)
            return
        loop = asyncio.get_running_loop()
        if not self._held and loop.time() >= self._next_at:
            self._next_at = loop.time() + _APART_SECONDS
            await self._hand.emit(delta)
            return
        self._held.append(delta)
        if self._timer is None:
            self._timer = loop.call_at(self._next_at, self._in_time)
        if self._hand.pen.is_full:
            await self._hand.pen.room()

    def flush(self) -> None:
        """Tell what is held, before anything else is told; raises as Hand.put does."""
        held = self._take()
        # Whatever comes next is the first of something new.
        self._next_at = 0.0
        if held:
            whole = type(held[0])(text="".join(delta.text for delta in held), message_id=held[0].message_id)
            self._hand.put(whole)

    def drop(self) -> int:
        """Forget what is held, and return how many pieces that were."""
        return len(self._take())

    def _take(self) -> list[Delta]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        return held

    def _in_time(self) -> None:
        self._timer = None
        if self._hand.is_withdrawn:
            # Whoever ends the message decides about it: see ReplyWriter.cut.
            return
        try:
            self.flush()
            self._next_at = asyncio.get_running_loop().time() + _APART_SECONDS
        except Withdrawn:
            # The agent hears the same when it goes on writing, and nobody would hear it here.
            return
