"""Clients that flood, stall or vanish harm neither the server nor anybody else."""

import asyncio
import contextlib
import time
import zlib
from collections.abc import AsyncIterator, Callable
from statistics import median

import psutil
import pytest

from tests.harness.client import Client
from tests.harness.feed import COMPLETED
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess
from tests.sockets.raw import CONTINUATION, PING, PONG, TEXT, RawSocket, frame
from tests.sockets.talk import Talk

MIB = 1 << 20
INPUT = b'{"type":"USER_TEXT_INPUT","text":"/tokens %d"}'
HEARTBEAT_SECONDS = 0.5
UNHARMED_SECONDS = 2
"""The longest that an input may wait for its first event; most of it is what else the machine has to do."""


async def test_ten_thousand_pings_are_answered_while_another_socket_works_unharmed(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        path = f"{client.path(await client.session())}/ws"
        async with RawSocket(server.url, path) as raw, _working(client) as lags:
            reading = asyncio.create_task(_pongs(raw, 10_000))
            for start in range(0, 10_000, 1000):
                await raw.write(*[frame(PING, b"%d" % number) for number in range(start, start + 1000)])
            pongs = await reading
            await _rounds(lags, 5)

    assert pongs == [b"%d" % number for number in range(10_000)]
    _assert_unharmed(lags)


async def test_pings_whose_pongs_nobody_reads_cost_no_memory(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        path = f"{client.path(await client.session())}/ws"
        async with RawSocket(server.url, path) as raw, _working(client) as lags:
            raw.take_nothing()
            before = process.memory_info().rss
            with pytest.raises(TimeoutError):
                # Once no pong fits any more, the server reads no further either.
                await _flood(raw, frame(PING, b"a" * 125), 1_000_000)
            grown = process.memory_info().rss - before
            await _rounds(lags, 5)

    assert grown < 12 * MIB
    _assert_unharmed(lags)


@pytest.mark.parametrize("data", [b"", b"a"], ids=["empty", "one byte"])
async def test_a_flood_of_fragments_is_ended_and_nobody_else_is_harmed(
    make_server: Callable[..., ServerProcess], sqlite_url: str, data: bytes
) -> None:
    server = make_server(sqlite_url).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        path = f"{client.path(await client.session())}/ws"
        async with RawSocket(server.url, path) as raw, _working(client) as lags:
            before = process.memory_info().rss
            closing = asyncio.create_task(raw.closing())
            await raw.write(frame(TEXT, b"", last=False))
            with contextlib.suppress(ConnectionError):
                await _flood(raw, frame(CONTINUATION, data, last=False), 200_000)
            code, _ = await closing
            grown = process.memory_info().rss - before
            await _rounds(lags, 5)

    assert code == 1009
    assert grown < 12 * MIB
    _assert_unharmed(lags)


async def test_a_bomb_is_not_inflated(make_server: Callable[..., ServerProcess], sqlite_url: str) -> None:
    server = make_server(sqlite_url).start()
    process = psutil.Process(server.pid)
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(b" " * (400 * MIB)) + packer.flush(zlib.Z_SYNC_FLUSH)
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    async with Client(server.url) as client:
        path = f"{client.path(await client.session())}/ws"
        async with RawSocket(server.url, path, offer) as raw:
            before = process.memory_info().rss
            await raw.write(frame(TEXT, bomb[: MIB - 1], rsv1=True))
            code, _ = await raw.closing()
            grown = process.memory_info().rss - before

    assert len(bomb) < MIB
    assert code == 1002
    assert grown < 8 * MIB


async def test_a_client_that_reads_nothing_costs_little_and_is_cut_off(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, heartbeat_seconds=HEARTBEAT_SECONDS, slow_reader_seconds=0.5).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        async with RawSocket(server.url, f"{client.path(session)}/ws") as deaf, client.feed(session) as feed:
            deaf.take_nothing()
            before = process.memory_info().rss
            await deaf.write(frame(TEXT, INPUT % 60_000))
            body = await feed.read_through(COMPLETED, seconds=60)
            grown = process.memory_info().rss - before
            await _until(lambda: deaf.address not in _peers(process))
        log = await client.log_lines(session)

    assert body.count(b"\ndata: ") == len(log) - 1
    assert grown < 40 * MIB
    assert '"level": "error"' not in server.errors.read_text()


async def test_a_client_that_answers_no_ping_is_cut_off_and_one_that_does_stays(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, heartbeat_seconds=HEARTBEAT_SECONDS).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with RawSocket(server.url, f"{client.path(session)}/ws") as dead, Talk(client, session) as alive:
            begun = time.monotonic()
            first = await dead.read()
            code, _ = await dead.closing()
            lasted = time.monotonic() - begun
            await alive.say("Hi")
            last = await alive.end()

    assert first[0] == PING
    assert code == 1011
    assert lasted < 10
    assert last["status"] == "completed"


async def test_200_sockets_opened_and_cut_leave_nothing_behind(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        await _open_and_cut(client, session, process)
        memory = process.memory_info().rss

        for _ in range(3):
            await _open_and_cut(client, session, process)

        assert process.memory_info().rss - memory < 8 * MIB
    assert server.errors.read_text() == ""


async def test_a_client_that_vanishes_right_after_its_input_has_its_run_done(client: Client) -> None:
    sessions = [await client.session() for _ in range(40)]
    beginnings = [f"{(await client.position(session)).partition('.')[0]}.0" for session in sessions]

    async def vanish(session: str, after: str) -> None:
        async with RawSocket(client.base, f"{client.path(session)}/ws?after={after}") as raw:
            await raw.write(frame(TEXT, INPUT % 50))

    await asyncio.gather(*map(vanish, sessions, beginnings))
    logs = [await _log_of_a_run_that_ended(client, session) for session in sessions]

    # Whoever is cut before the server reads it has said nothing; what was stored was done at once, and once.
    begun = [log for log in logs if log is not None]
    assert len(begun) > 0
    assert {types.count("MODEL_CALL_RETRY") for types in begun} == {0}
    assert {types.count("TEXT_DELTA") for types in begun} == {50}


@contextlib.asynccontextmanager
async def _working(client: Client) -> AsyncIterator[list[float]]:
    """Say something on a socket over and over; gives how long the first event took each time."""
    lags: list[float] = []

    async def work() -> None:
        session = await client.session()
        async with Talk(client, session) as talk:
            while True:
                begun = time.perf_counter()
                await talk.say("Hi")
                await talk.frame()
                lags.append(time.perf_counter() - begun)
                await talk.end()

    working = asyncio.create_task(work())
    try:
        await _rounds(lags, 5)
        yield lags
        assert not working.done()
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def _rounds(lags: list[float], more: int) -> None:
    target = len(lags) + more
    await _until(lambda: len(lags) >= target)


def _assert_unharmed(lags: list[float]) -> None:
    print(f"{len(lags)} inputs, worst {max(lags) * 1000:.0f} ms, half within {median(lags) * 1000:.0f} ms")
    assert max(lags) < UNHARMED_SECONDS


async def _flood(raw: RawSocket, each: bytes, count: int) -> None:
    for _ in range(count // 1000):
        await raw.write(each * 1000, seconds=2)


async def _pongs(raw: RawSocket, count: int) -> list[bytes]:
    frames = [await raw.read() for _ in range(count)]
    assert {opcode for opcode, _ in frames} == {PONG}
    return [payload for _, payload in frames]


async def _open_and_cut(client: Client, session: str, process: psutil.Process) -> None:
    """Open sockets, let each follow, cut them, and wait until they are gone."""
    position = await client.position(session)
    talks = [Talk(client, session, after=position) for _ in range(200)]
    await asyncio.gather(*(talk.__aenter__() for talk in talks))
    assert len(_peers(process)) >= 200
    for talk in talks:
        talk.cut()
    await _until(lambda: len(_peers(process)) < 5)


def _peers(process: psutil.Process) -> set[tuple[str, int]]:
    return {
        (connection.raddr.ip, connection.raddr.port)
        for connection in process.net_connections(kind="tcp")
        if connection.raddr
    }


async def _until(is_so: Callable[[], bool], *, seconds: float = 30) -> None:
    patience = Patience()
    async with asyncio.timeout(seconds):
        while True:
            if is_so():
                return
            await patience.wait()


async def _log_of_a_run_that_ended(client: Client, session: str) -> list[str] | None:
    runs = (await client.http.get(f"/sessions/{session}/branches/main/runs")).json()
    if not runs:
        return None
    await client.ended(session, runs[0]["runtimeRunId"], seconds=10)
    return [event["type"] for event in await client.log(session)]
