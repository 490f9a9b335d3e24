"""What a fan-out program is told to publish."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

from benchmarks.tokens import bursts, token_frames
from events.position import Position


class FanOutOrder(NamedTuple):
    """So many events in bursts of one size, numbered from a place on; written `epoch.seq events burst`."""

    first: Position
    events: int
    burst: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote."""
        place, events, burst = text.split()
        epoch, _, seq = place.partition(".")
        return cls(Position(epoch, int(seq)), int(events), int(burst))

    def __str__(self) -> str:
        return f"{self.first} {self.events} {self.burst}"

    async def publish_frames(self, publish: Callable[[Sequence[bytes]], None]) -> None:
        """Publish the frames burst by burst; between two of them every reader gets its turn."""
        prepared = bursts(token_frames(self.first, self.events), self.burst)
        for burst in prepared:
            publish(burst)
            await asyncio.sleep(0)
