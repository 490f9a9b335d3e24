"""Work on offer, and worker's patience."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.harness.client import Client
from tests.harness.patience import Patience
from tests.harness.worker import FleetWorker, Json


@dataclass(frozen=True)
class Offered:
    """A run that is on offer: the conversation's session, and the run's id."""

    session: str
    run: str


async def offer(client: Client, agent: str, text: str = "Do it.", session: str | None = None) -> Offered:
    """Submit a text to an agent whose runs are for workers, in a session of its own or in one that is there."""
    client.agent = agent
    session = session or await client.session()
    accepted = await client.accepted(session, text)
    return Offered(session, accepted["runtimeRunId"])


async def offer_all(client: Client, *agents: str) -> list[Offered]:
    """Put an item of each of these agents on offer, one after the other."""
    return [await offer(client, agent, f"Task {index}") for index, agent in enumerate(agents)]


async def item_within(worker: FleetWorker, seconds: float = 10) -> Json:
    """Poll until there is an item."""
    patience = Patience()
    async with asyncio.timeout(seconds):
        while True:
            work: list[Json] = (await worker.poll())["work"]
            if work:
                return work[0]
            await patience.wait()


async def told_within(client: Client, session: str, wire_type: str, seconds: float = 10) -> Json:
    """Look at a log until it tells of something, and return the last of that."""
    patience = Patience()
    async with asyncio.timeout(seconds):
        while True:
            found = [event for event in await client.log(session) if event["type"] == wire_type]
            if found:
                return found[-1]
            await patience.wait()


def prompts(polled: Json) -> list[Any]:
    """Return what the items of a poll are about."""
    return [item["prompt"] for item in polled["work"]]
