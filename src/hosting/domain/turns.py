"""Whose request is worked on next: a few at once, and everybody who waits comes to their turn."""

import asyncio
from collections import Counter, deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from hosting.domain.overload_errors import refuse_full
from hosting.domain.quota import Quota

T = TypeVar("T", bound=Hashable)

_LONGEST_SECONDS: Final = 1.0


class Turns(Generic[T]):
    """Lets so many be at work at once, and so many of one; of those who wait, everybody gets one place in turn.

    A crowd of one tenant's waits for itself: whoever else comes is next.
    """

    def __init__(self, at_once: int, at_once_of_one: int, waiting: Quota[T]) -> None:
        self.working = 0
        self.waiting = waiting
        self.at_once = at_once
        self.at_once_of_one = at_once_of_one
        self._working: Counter[T] = Counter()
        # The first one's turn is next.
        self._lines: dict[T, deque[asyncio.Future[None]]] = {}

    def working_of(self, who: T) -> int:
        """Return how many of somebody's are at work."""
        return self._working[who]

    def check(self, who: T) -> None:
        """Make sure that somebody may wait, should it come to that.

        Raises:
            TooManyRequests, Overloaded: too many of theirs wait, or of all.
        """
        refuse_full(self.waiting.full(who))

    async def take(self, who: T) -> None:
        """Return when it is their turn; give it back."""
        if self._is_free(who) and who not in self._lines:
            self._begin(who)
            return
        mine = asyncio.get_running_loop().create_future()
        self._lines.setdefault(who, deque()).append(mine)
        self.waiting.add(who)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                # It came to its turn just when nobody wanted it any more.
                self.give_back(who)
            raise
        finally:
            self.waiting.give_back(who)

    def give_back(self, who: T) -> None:
        """End a turn; the next one begins."""
        self.working -= 1
        self._working[who] -= 1
        if not self._working[who]:
            del self._working[who]
        while (following := self._next()) is not None:
            self._begin(following[0])
            following[1].set_result(None)

    def _begin(self, who: T) -> None:
        self.working += 1
        self._working[who] += 1

    def _is_free(self, who: T) -> bool:
        return self.working < self.at_once and self._working[who] < self.at_once_of_one

    def _next(self) -> tuple[T, "asyncio.Future[None]"] | None:
        for who in list(self._lines) if self.working < self.at_once else ():
            if not self._is_free(who):
                continue
            line = self._lines.pop(who)
            waiting = _first_that_waits(line)
            if line:
                # Behind everybody else who waits.
                self._lines[who] = line
            if waiting is not None:
                return who, waiting
        return None


class Turn(Generic[T]):
    """One request's: taken, perhaps interrupted, and over once the request is answered.

    It is over after a second in any case: who takes longer than that waits for something else than this process.
    """

    __slots__ = ("_has", "_is_over", "_timer", "_turns", "_who")

    def __init__(self, turns: Turns[T], who: T) -> None:
        self._turns = turns
        self._who = who
        self._has = False
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Wait until it comes, unless it is over."""
        if self._is_over or self._has:
            return
        await self._turns.take(self._who)
        self._has = True
        self._timer = asyncio.get_running_loop().call_later(_LONGEST_SECONDS, self.end)

    def pause(self) -> None:
        """Let others go first while this one waits for its client."""
        if self._has:
            self._has = False
            self._turns.give_back(self._who)
        if self._timer is not None:
            self._timer.cancel()

    def end(self) -> None:
        """Let it be over."""
        self._is_over = True
        self.pause()


def _first_that_waits(line: "deque[asyncio.Future[None]]") -> "asyncio.Future[None] | None":
    while line:
        waiting = line.popleft()
        if not waiting.done():
            return waiting
    return None
