"""Clients that come, do some of everything and leave, and what a server holds once they have left."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

from tests.harness.client import Client
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess

_VISITORS = 6
_MEBIBYTE = 1 << 20
_TEN_MINUTES = 600.0
_TASKS_OF_THE_CENSUS = 3
"""Its own run, and those that its request leaves for a moment."""


@dataclass(frozen=True)
class Census:
    """What a server holds while nobody is there; memory in MiB."""

    at: float
    tasks: int
    files: int
    mebibytes: float
    which: dict[str, int] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)


class Churn:
    """Churns a server by laps, and takes a census after each."""

    def __init__(self, server: ServerProcess, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self.taken: list[Census] = []
        self.visits = 0

    async def run(self, *, seconds: float, lap_seconds: float) -> None:
        """Churn for so long."""
        begun = time.monotonic()
        async with Client(self._server.url, agent="census") as client:
            while time.monotonic() - begun < seconds:
                await self._lap(lap_seconds)
                self.taken.append(await self._settled(client, time.monotonic() - begun))

    def memory_slope(self, *, warm_share: float) -> float:
        """Return by how many MiB memory grew in ten minutes, by the line that fits the censuses after the warm-up."""
        warm = [census for census in self.taken if census.at >= warm_share * self.taken[-1].at]
        mean_at = sum(census.at for census in warm) / len(warm)
        mean = sum(census.mebibytes for census in warm) / len(warm)
        spread = sum((census.at - mean_at) ** 2 for census in warm)
        return _TEN_MINUTES * sum((census.at - mean_at) * (census.mebibytes - mean) for census in warm) / spread

    async def _lap(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_VISITORS):
                tasks.create_task(self._keep_visiting(until))

    async def _keep_visiting(self, until: float) -> None:
        while time.monotonic() < until:
            async with Client(self._server.url) as client:
                await self._visit(client)
            self.visits += 1

    async def _visit(self, client: Client) -> None:
        session = await client.session()
        for deed in self._chance.sample([self._talk, self._cut, self._cancel, self._fork], 3):
            await deed(client, session)
        await self._delete(client, session)

    async def _delete(self, client: Client, session: str) -> None:
        deleted = await client.http.delete(f"/sessions/{session}?force=true")
        assert deleted.status_code in (200, 204), deleted.text

    async def _talk(self, client: Client, session: str) -> None:
        accepted = await client.accepted(session, self._chance.choice(["/tokens 100", "/tool", "/fail", "hello"]))
        await client.ended(session, accepted["runtimeRunId"])

    async def _cut(self, client: Client, session: str) -> None:
        async with client.feed(session) as feed:
            accepted = await client.accepted(session, "/tokens 300")
            await feed.read()
        await client.ended(session, accepted["runtimeRunId"])

    async def _cancel(self, client: Client, session: str) -> None:
        accepted = await client.accepted(session, "/slow 1000")
        asked = await client.http.post(f"{client.path(session)}/interrupt", json={})
        assert asked.status_code in (200, 202), asked.text
        await client.ended(session, accepted["runtimeRunId"])

    async def _fork(self, client: Client, session: str) -> None:
        accepted = await client.accepted(session, "/tokens 20")
        await client.ended(session, accepted["runtimeRunId"])
        log = await client.log(session)
        message = next(event["messageId"] for event in reversed(log) if event["type"] == "TEXT_MESSAGE_END")
        forked = await client.http.post(f"{client.path(session)}/fork", json={"fromMessageId": message})
        assert forked.status_code == 201, forked.text
        accepted = await client.accepted(session, "/tokens 20", forked.json()["id"])
        await client.ended(session, accepted["runtimeRunId"], forked.json()["id"])

    async def _settled(self, client: Client, at: float) -> Census:
        """Return the smallest of what is told until it is no more than at first, or for five seconds."""
        patience, told = Patience(), await self._told(client, at)
        try:
            async with asyncio.timeout(5):
                while self.taken and not _is_no_more(told, self.taken[0]):
                    await patience.wait()
                    told = await self._told(client, at)
        except TimeoutError:
            pass
        return told

    async def _told(self, client: Client, at: float) -> Census:
        # In a session of its own: one that grows with each census would be read with more memory each time.
        session = await client.session()
        accepted = await client.accepted(session, "How many?")
        run = await client.ended(session, accepted["runtimeRunId"])
        assert run["status"] == "completed", run
        deltas = [event for event in await client.log(session) if event["type"] == "TEXT_DELTA"]
        await self._delete(client, session)
        counted: dict[str, Any] = json.loads("".join(delta["text"] for delta in deltas))
        members = counted["which"], counted["objects"]
        return Census(at, counted["tasks"], counted["files"], counted["memory"] / _MEBIBYTE, *members)


def _is_no_more(told: Census, first: Census) -> bool:
    return told.tasks <= first.tasks and told.files <= first.files
