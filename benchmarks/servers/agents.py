"""The agents that the real server hosts while it is measured."""

import asyncio
import time
from collections.abc import AsyncGenerator

from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.servers.produce_order import ProduceOrder
from benchmarks.tokens import MESSAGE_ID
from events.position import Position
from events.text import TextDelta
from hosting.adapters.agents.function import agent
from hosting.domain.scope import BranchKey
from hosting.ports.agents import RunContext
from hosting.ports.units import Committed
from hosting.runtime.rings import Rings


class PreparedTokens:
    """Emits one prepared event as often as the input says: an agent that costs nothing itself."""

    name = "prepared"

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        event = TextDelta(text="token ", message_id=MESSAGE_ID)
        for _ in range(int(context.input[-1].text)):
            await context.emit(event)


@agent("author")
async def author_tokens(context: RunContext) -> AsyncGenerator[str]:
    """Say as many words as the input says, as an agent's author would write it."""
    for index in range(int(context.input[-1].text)):
        yield f"tok{index} "


@agent("paced")
async def paced_tokens(context: RunContext) -> AsyncGenerator[str]:
    """Speak so often, at so many times a second from a moment on; each word says when it was said."""
    count, rate, starts, words = context.input[-1].text.split()
    for index in range(int(count)):
        await asyncio.sleep(max(0.0, float(starts) + index / float(rate) - time.monotonic()))
        for _ in range(int(words)):
            yield f"{time.monotonic_ns()} tok"


class Publisher:
    """Publishes to the one branch that is followed, past the store: what follows is fan-out and nothing else."""

    name = "publisher"
    rings: Rings

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        order = FanOutOrder.parse(context.input[-1].text)
        (branch,) = self.rings.followed()
        feed = self.rings.open(branch)
        try:
            await order.publish(Committed, lambda committed: self.rings.publish(branch, committed), lambda: feed.armed)
        finally:
            self.rings.close(branch)


class Producers:
    """Publishes to every branch that is followed, past the store."""

    name = "producers"
    rings: Rings

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        order = ProduceOrder.parse(context.input[-1].text)
        await order.produce(self.rings.followed(), self._publish)

    def _publish(self, branch: BranchKey, first: Position, lines: list[bytes]) -> None:
        self.rings.publish(branch, Committed(first, lines))
