"""What a fan-out program is told to publish."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Self, TypeVar

from benchmarks.tokens import bursts, timed_lines, token_lines
from events import sse
from events.position import Position

T = TypeVar("T")

_A_MOMENT: Final = 0.001


class FanOutOrder(NamedTuple):
    """So many events in bursts of one size, numbered from a place on; written `epoch.seq events burst pace`.

    `pace` is bursts a second, and each event then says when it was published; 0 is as fast as the readers get turns.
    """

    first: Position
    events: int
    burst: int
    pace: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote."""
        place, events, burst, pace = text.split()
        epoch, _, seq = place.partition(".")
        return cls(Position(epoch, int(seq)), int(events), int(burst), float(pace))

    def __str__(self) -> str:
        return f"{self.first} {self.events} {self.burst} {self.pace}"

    async def publish(
        self, make: Callable[[Position, Sequence[bytes]], T], publish: Callable[[T], None], armed: Callable[[], int]
    ) -> None:
        """Publish burst by burst what `make` makes of numbered events.

        Without a pace a burst goes out once as many readers wait, by `armed`, as did at first: what they have not yet
        been able to take would come with the next one, and fewer writes would be measured.
        """
        if self.pace:
            await self._publish_paced(make, publish)
            return
        first, prepared = self.first, []
        for burst in bursts(token_lines(first, self.events), self.burst):
            prepared.append(make(first, burst))
            first = Position(first.epoch, first.seq + len(burst))
        readers = armed()
        for made in prepared:
            publish(made)
            # In this turn every reader writes and waits again, unless its peer takes nothing for now.
            await asyncio.sleep(0)
            while armed() < readers:  # noqa: ASYNC110 - it is a server that is watched, and there is nothing to wait on
                await asyncio.sleep(_A_MOMENT)

    async def publish_frames(
        self, publish: Callable[[Sequence[bytes]], None], armed: Callable[[], int] = lambda: 0
    ) -> None:
        """Publish them as they go over the wire."""
        await self.publish(sse.frames, publish, armed)

    async def _publish_paced(
        self, make: Callable[[Position, Sequence[bytes]], T], publish: Callable[[T], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        began, bursts_in_all = loop.time(), self.events // self.burst
        for index in range(bursts_in_all):
            await asyncio.sleep(began + index / self.pace - loop.time())
            place = Position(self.first.epoch, self.first.seq + index * self.burst)
            publish(make(place, timed_lines(place, self.burst, ends=index == bursts_in_all - 1)))
