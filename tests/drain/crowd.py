"""Many readers of a server that stops: what each has seen before, and what it finds when it comes back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.harness.client import Client
from tests.harness.feed import Feed, Frame, completed, opened
from tests.harness.process import ServerProcess
from tests.sockets.talk import Talk

BUSY_SESSIONS = 4


@dataclass
class Stop:
    """How a server stopped: what it answered from its first farewell on, its exit status, and how long it took."""

    answers: list[httpx.Response]
    status: int
    seconds: float
    log: str


@dataclass
class Crowd:
    """Streams and sockets on sessions that are busy and on one that is quiet."""

    client: Client
    sessions: list[str]
    runs: list[dict[str, Any]]
    quiet: str
    feeds: list[tuple[str, Feed]]
    talks: list[tuple[str, Talk]]
    frames: dict[int, list[Frame]] = field(default_factory=dict)

    @classmethod
    async def gather(cls, client: Client, text: str, *, streams: int, sockets: int) -> "Crowd":
        """Begin runs, and make readers for them."""
        sessions = [await client.session() for _ in range(BUSY_SESSIONS)]
        quiet = await client.session()
        after = {quiet: await client.position(quiet)}
        runs = []
        for session in sessions:
            runs.append(await client.accepted(session, text))
            after[session] = runs[-1]["position"]
        places = [*sessions, quiet]
        feeds = [(at, client.feed(at, after=after[at])) for at in (places[n % len(places)] for n in range(streams))]
        talks = [(at, Talk(client, at, after=after[at])) for at in (places[n % len(places)] for n in range(sockets))]
        return cls(client, sessions, runs, quiet, feeds, talks)

    async def outlast(self, server: ServerProcess, *, seen: str) -> Stop:
        """Open all, stop the server once this text was seen everywhere, and read until all have been sent away."""
        async with opened([feed for _, feed in self.feeds]):
            await asyncio.gather(*(talk.__aenter__() for _, talk in self.talks))
            reading = [asyncio.create_task(self._read(number)) for number in range(len(self.feeds))]
            await asyncio.gather(
                *(talk.until(lambda event: event.get("text") == seen) for at, talk in self.talks if at != self.quiet)
            )

            begun = time.monotonic()
            leaving = asyncio.create_task(asyncio.to_thread(server.terminate))
            answers = await self._ask_when_one_is_sent_away(reading)
            endings = await asyncio.gather(*(talk.ending() for _, talk in self.talks))
            await asyncio.gather(*reading)
            status = await leaving
            took = time.monotonic() - begun
        assert endings == [(1001, "drain")] * len(endings)
        return Stop(answers, status, took, server.errors.read_text())

    def retries(self) -> list[int]:
        """Check that all were told that the server drains; return how long each was told to stay away."""
        closings = [self.frames[number][-1] for number in range(len(self.feeds))]
        for closing in closings:
            assert (closing.id, closing.event, closing.retry) == (None, None, str(closing.json["retryMs"]))
        events = [closing.json for closing in closings] + [talk.events[-1] for _, talk in self.talks]
        assert {(event["type"], event["reason"]) for event in events} == {("STREAM_CLOSING", "drain")}
        return [event["retryMs"] for event in events]

    async def come_back(self, base: str) -> None:
        """Let every reader come back to a server by the last id it has, and check that it has missed nothing."""
        async with Client(base) as client:
            logs = {at: await self._whole_log(client, at) for at in [*self.sessions, self.quiet]}
            await asyncio.gather(
                *(self._check(client, at, logs[at], self._seen(number)) for number, (at, _) in enumerate(self.feeds)),
                *(self._check(client, at, logs[at], talk.lines[:-1]) for at, talk in self.talks),
            )

    async def _whole_log(self, client: Client, session: str) -> list[str]:
        for run in (await client.http.get(f"/sessions/{session}/branches/main/runs")).json():
            ended = await client.ended(session, run["runtimeRunId"], seconds=60)
            assert ended["status"] == "completed"
        return await client.log_lines(session)

    async def _check(self, client: Client, session: str, log: list[str], seen: list[str]) -> None:
        assert seen == log[1 : 1 + len(seen)]
        rest = log[1 + len(seen) :]
        if not rest:
            return
        async with client.feed(session, last_event_id=_event_id(log[len(seen)])) as feed:
            again = [frame.data for frame in await feed.until(completed, seconds=60)]
        assert again == rest

    def _seen(self, number: int) -> list[str]:
        return [str(frame.data) for frame in self.frames[number][:-1]]

    async def _read(self, number: int) -> None:
        frames = await self.feeds[number][1].to_end(seconds=60)
        self.frames[number] = [frame for frame in frames if frame.data is not None]

    async def _ask_when_one_is_sent_away(self, reading: list[asyncio.Task[None]]) -> list[httpx.Response]:
        await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        async with Client(self.client.base) as another:
            asks: list[Callable[[], Awaitable[httpx.Response]]] = [
                lambda: another.http.get("/readyz"),
                lambda: another.send(self.quiet, "Too late"),
                lambda: another.http.get(f"/sessions/{self.quiet}"),
            ]
            return [await ask() for ask in asks]


def _event_id(line: str) -> str:
    return line.partition('"eventId":"')[2].partition('"')[0]
