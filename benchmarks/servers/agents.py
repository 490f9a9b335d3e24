"""The agents that the real server hosts while it is measured."""

import asyncio
from collections.abc import AsyncGenerator

from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.tokens import MESSAGE_ID, bursts, token_lines
from events.position import Position
from events.text import TextDelta
from hosting.adapters.agents.function import agent
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


class Publisher:
    """Publishes to the one branch that is followed, past the store: what follows is fan-out and nothing else."""

    name = "publisher"
    rings: Rings

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        order = FanOutOrder.parse(context.input[-1].text)
        (branch,) = self.rings.followed()
        place, lines = order.first, token_lines(order.first, order.events)
        prepared = []
        for burst in bursts(lines, order.burst):
            prepared.append(Committed(place, list(burst)))
            place = Position(place.epoch, place.seq + len(burst))
        for committed in prepared:
            self.rings.publish(branch, committed)
            await asyncio.sleep(0)
