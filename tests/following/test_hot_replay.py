"""A long log that many read at once stops nobody else, and whoever leaves in the middle leaves nothing running."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import cycle

import pytest

from hosting.settings import Settings
from tests.following.inside import serving
from tests.following.lag import lags, p99
from tests.following.stuck import until
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.quiet import need_a_quiet_machine

Make = Callable[..., ServerProcess]

COMPLETED = b'"type":"BRANCH_RUN_COMPLETED"'
LONGEST_STOP_SECONDS = 0.5
P99_SECONDS = 0.1


async def test_readers_that_leave_a_replay_midway_leave_nothing_running(sqlite_url: str) -> None:
    async with serving(Settings(database_url=sqlite_url)) as (base, server), Client(base) as client:
        session, beginning = await _written(client, 10_000)
        tasks_before = len(asyncio.all_tasks())

        async with _longest_stop() as longest:
            counts = await asyncio.gather(
                *_reading(client, session, beginning, 6, 5000), *_reading_log(client, session, 2)
            )
            left = time.perf_counter()
            await until(lambda: not server.rings.followed(), seconds=2)
            await until(lambda: len(asyncio.all_tasks()) <= tasks_before + 1, seconds=2)
            gone_after = time.perf_counter() - left

    whole, half = counts[0], counts[1]
    assert counts[:6] == [whole, half] * 3
    assert whole > 10_000 > half
    assert gone_after < 1
    assert longest[0] < LONGEST_STOP_SECONDS


@pytest.mark.campaign
@pytest.mark.timeout(300)
async def test_a13_100_000_events_replayed_by_20_readers_stop_nobody(make_server: Make, database_url: str) -> None:
    need_a_quiet_machine()
    server = make_server(database_url).start()
    async with Client(server.url) as client:
        session, beginning = await _written(client, 100_000)
        quiet = server.cpu_seconds()
        async with lags(server.url) as times:
            begun = time.perf_counter()
            counts = await asyncio.gather(*_reading(client, session, beginning, 20, 50_000))
            took = time.perf_counter() - begun
            used = server.cpu_seconds() - quiet
            logs = await asyncio.gather(*_reading_log(client, session, 4))
        await asyncio.sleep(1)
        idle = server.cpu_seconds()
        await asyncio.sleep(1)
        idle = server.cpu_seconds() - idle

    print(f"{sum(counts)} events in {took:.1f} s, {used:.1f} s of the server's processor, and {len(logs)} logs")
    print(f"/healthz took {times[-1] * 1000:.0f} ms at most, p99 {p99(times) * 1000:.0f} ms")
    assert len(times) > 50
    assert times[-1] < LONGEST_STOP_SECONDS
    assert p99(times) <= P99_SECONDS
    assert idle < 0.2
    print(f"a13 {len(counts)} ok / {len(counts)} total")


async def _written(client: Client, tokens: int) -> tuple[str, str]:
    session = await client.session()
    beginning = f"{(await client.position(session)).partition('.')[0]}.0"
    accepted = await client.accepted(session, f"/tokens {tokens}")
    await client.ended(session, accepted["runtimeRunId"], seconds=120)
    return session, beginning


def _reading(client: Client, session: str, beginning: str, count: int, half: int) -> list[asyncio.Task[int]]:
    """Read the branch from its beginning, every second one to the middle."""

    async def read(*, leaves: bool) -> int:
        events = 0
        async with client.feed(session, after=beginning) as feed:
            while piece := await feed.read():
                events += piece.count(b"\ndata: ")
                if COMPLETED in piece or (leaves and events > half):
                    break
        return events

    turns = cycle([False, True])
    return [asyncio.create_task(read(leaves=next(turns))) for _ in range(count)]


def _reading_log(client: Client, session: str, count: int) -> list[asyncio.Task[int]]:
    """Ask for the whole log, and leave after its first pieces."""

    async def read() -> int:
        size = 0
        async with client.http.stream("GET", f"/sessions/{session}/branches/main/events") as response:
            async for piece in response.aiter_raw():
                size += len(piece)
                if size > 500_000:
                    break
        return size

    return [asyncio.create_task(read()) for _ in range(count)]


@asynccontextmanager
async def _longest_stop() -> AsyncIterator[list[float]]:
    """Measure how long this process's loop came to nothing else, at most."""
    longest = [0.0]

    async def tick() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            longest[0] = max(longest[0], time.perf_counter() - begun - 0.005)

    ticking = asyncio.create_task(tick())
    try:
        yield longest
    finally:
        ticking.cancel()
