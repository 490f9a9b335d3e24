"""What a program with many branches is told to publish on each of them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self, TypeVar

from benchmarks.tokens import BARE_EPOCH, timed_lines
from events.position import Position

T = TypeVar("T")


class ProduceOrder(NamedTuple):
    """So many events on each branch at so many a second, numbered from `first` on; written `first count rate`.

    Each event says when it was published, and the last one of each branch that it is the last.
    """

    first: int
    count: int
    rate: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote."""
        first, count, rate = text.split()
        return cls(int(first), int(count), float(rate))

    def __str__(self) -> str:
        return f"{self.first} {self.count} {self.rate}"

    async def produce(self, branches: Sequence[T], publish: Callable[[T, Position, list[bytes]], None]) -> None:
        """Publish on all branches, each from a task of its own and at a moment of its own."""
        async with asyncio.TaskGroup() as tasks:
            for index, branch in enumerate(branches):
                tasks.create_task(self._produce_one(branch, index / len(branches) / self.rate, publish))

    async def _produce_one(self, branch: T, delay: float, publish: Callable[[T, Position, list[bytes]], None]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time() + delay
        for index in range(self.count):
            await asyncio.sleep(max(0.0, began + index / self.rate - loop.time()))
            place = Position(BARE_EPOCH, self.first + index)
            publish(branch, place, timed_lines(place, 1, ends=index == self.count - 1))
