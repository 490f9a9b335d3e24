"""Whoever takes nothing is cut after a while, costs little until then, and harms nobody else."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest

from tests.following.lag import p99
from tests.following.stuck import Stuck, connected, stuck, until
from tests.harness.client import Client
from tests.harness.feed import COMPLETED, Feed, completed, opened
from tests.harness.process import ServerProcess
from tests.harness.quiet import need_a_quiet_machine

Make = Callable[..., ServerProcess]

STUCK = 10
CROWD = 100
CUT_WITHIN_SECONDS = 30
MIB = 1 << 20
SLOW_READER_SECONDS = 0.5


async def test_readers_whose_buffers_are_full_are_cut_and_the_others_get_everything(
    make_server: Make, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, slow_reader_seconds=SLOW_READER_SECONDS).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        path = f"{client.path(session)}/events/live"
        async with stuck(server.url, path, STUCK) as clients, client.feed(session) as healthy:
            before = process.memory_info().rss
            await client.accepted(session, "/tokens 8000")
            body = await healthy.read_through(COMPLETED)
            grown = process.memory_info().rss - before
            await _all_cut(server, clients)
        log = await client.log_lines(session)

    assert body.count(b"\ndata: ") == len(log) - 1
    assert grown < (STUCK + 30) * MIB
    records = _records(server)
    assert {(record["reason"], record["path"]) for record in records} == {("slow", path)}
    assert len(records) == STUCK


async def test_readers_of_a_branch_where_little_happens_are_cut_too(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, slow_reader_seconds=SLOW_READER_SECONDS).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with stuck(server.url, f"{client.path(session)}/events/live", STUCK) as clients:
            # Nothing of this stays in the server: the kernel takes it all.
            await client.accepted(session, "/tokens 100")
            await _all_cut(server, clients)

    assert [record["reason"] for record in _records(server)] == ["slow"] * STUCK


async def test_who_asks_for_a_log_and_does_not_read_it_is_cut_as_well(make_server: Make, database_url: str) -> None:
    server = make_server(database_url, slow_reader_seconds=SLOW_READER_SECONDS).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        await client.ended(session, (await client.accepted(session, "/tokens 8000"))["runtimeRunId"])
        before = process.memory_info().rss
        async with stuck(server.url, f"/sessions/{session}/branches/main/events", STUCK) as clients:
            await _all_cut(server, clients)
            grown = process.memory_info().rss - before

    assert grown < (STUCK + 10) * MIB
    assert [record["reason"] for record in _records(server)] == ["slow"] * STUCK
    assert '"level": "error"' not in server.errors.read_text()


async def test_a_reader_that_was_cut_comes_back_and_has_lost_nothing(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, slow_reader_seconds=SLOW_READER_SECONDS).start()
    async with Client(server.url) as client:
        session = await client.session()
        beginning = await client.position(session)
        async with client.feed(session, after=beginning) as feed:
            feed.take_nothing()
            accepted = await client.accepted(session, "/tokens 8000")
            await client.ended(session, accepted["runtimeRunId"])
            await until(lambda: bool(_records(server)))
            feed.take_again()
            seen = await feed.to_end()
        async with client.feed(session, last_event_id=feed.last_id) as again:
            rest = await again.until(completed)
        lines = await client.log_lines(session)

    received = [frame.data for frame in [*seen, *rest] if frame.data is not None]
    assert 0 < len(rest) < len(received)
    assert "STREAM_CLOSING" not in {frame.json["type"] for frame in seen if frame.data is not None}
    assert received == lines[1:]


async def test_a_reader_that_pauses_for_less_is_not_cut(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, slow_reader_seconds=20).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with client.feed(session) as feed:
            feed.take_nothing()
            accepted = await client.accepted(session, "/tokens 8000")
            await client.ended(session, accepted["runtimeRunId"])
            feed.take_again()
            frames = await feed.until(completed)
        lines = await client.log_lines(session)

    assert [frame.data for frame in frames] == lines[1:]
    assert _records(server) == []


@pytest.mark.campaign
@pytest.mark.timeout(300)
async def test_a9_a_hundred_readers_that_never_read_slow_down_nobody(make_server: Make, sqlite_url: str) -> None:
    need_a_quiet_machine()
    server = make_server(sqlite_url).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        path = f"{client.path(session)}/events/live"
        alone = await _delays(client, session, "/tokens 500 40")
        before = process.memory_info().rss
        async with stuck(server.url, path, CROWD) as clients:
            begun = time.monotonic()
            beside = asyncio.create_task(_delays(client, session, "/tokens 500 40"))
            peak = await _peak_until_cut(server, clients)
            cut_after = time.monotonic() - begun
            delays = await beside
        alone_again = await _delays(client, session, "/tokens 500 40")

    usual = max(p99(alone), p99(alone_again))
    print(f"all cut after {cut_after:.1f} s, {(peak - before) / MIB:.1f} MiB more at most")
    print(f"p99 of the healthy ones: {p99(delays) * 1000:.0f} ms, without the stuck ones {usual * 1000:.0f} ms")
    assert len(_records(server)) == CROWD
    assert cut_after <= CUT_WITHIN_SECONDS
    assert peak - before <= CROWD * MIB
    assert p99(delays) <= 1.5 * usual + 0.02
    print(f"a9 {CROWD} ok / {CROWD} total")


async def _delays(client: Client, session: str, text: str) -> list[float]:
    """Let a crowd of healthy readers follow a run; return how long after its making each last event of a piece came."""
    delays: list[float] = []

    async def read(feed: Feed) -> None:
        while COMPLETED not in (piece := await feed.read()):
            _, found, rest = piece.rpartition(b'"timestamp":"')
            if found:
                made = datetime.fromisoformat(rest[: rest.index(b'"')].decode())
                delays.append((datetime.now(UTC) - made).total_seconds())

    feeds = [client.feed(session) for _ in range(CROWD)]
    async with opened(feeds):
        await client.accepted(session, text)
        await asyncio.gather(*map(read, feeds))
    return sorted(delays)


async def _peak_until_cut(server: ServerProcess, clients: list[Stuck]) -> int:
    peak, process = 0, psutil.Process(server.pid)

    def is_over() -> bool:
        nonlocal peak
        peak = max(peak, process.memory_info().rss)
        return _are_cut(server, clients)

    await until(is_over, seconds=60)
    return peak


async def _all_cut(server: ServerProcess, clients: list[Stuck]) -> None:
    await until(lambda: _are_cut(server, clients))


def _are_cut(server: ServerProcess, clients: list[Stuck]) -> bool:
    # The log first: a connection that is not there may be one that the server has not looked at yet.
    if len(_records(server)) < len(clients):
        return False
    return not {client.address for client in clients} & connected(psutil.Process(server.pid))


def _records(server: ServerProcess) -> list[dict[str, Any]]:
    lines = server.errors.read_text().splitlines()
    return [json.loads(line) for line in lines if '"reason": "slow"' in line]
