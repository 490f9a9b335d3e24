"""Who sends slowly, or nothing, is waited for only so long, and keeps nobody else waiting."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import cycle
from statistics import median

import httpx
import psutil
import pytest

from tests.edge.deadline import seconds_until
from tests.edge.problem import problem
from tests.edge.wire import Answer, Wire
from tests.harness.client import Client
from tests.harness.process import ServerProcess

HEADER_SECONDS = 1.0
BODY_IDLE_SECONDS = 0.5
BODY_SECONDS = 1.5
KEEP_ALIVE_SECONDS = 1.2
LINGER_SECONDS = 1.0
SLACK_SECONDS = 3.0
UNHARMED_SECONDS = 2
"""The longest that a healthy request may take; nearly all of it is what else the machine has to do."""

HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_A_BODY = b'POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"meta'
NO_CHUNK = b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that waits for nobody long."""
    folder = tmp_path_factory.mktemp("hasty")
    url = f"sqlite+aiosqlite:///{folder}/test.db"
    with ServerProcess(
        folder,
        url,
        header_seconds=HEADER_SECONDS,
        body_idle_seconds=BODY_IDLE_SECONDS,
        body_seconds=BODY_SECONDS,
        keep_alive_seconds=KEEP_ALIVE_SECONDS,
    ) as server:
        yield server
        assert server.errors.read_text() == ""


async def test_two_hundred_slow_clients_are_gone_in_time_and_nobody_waits_for_them(hasty: ServerProcess) -> None:
    process = psutil.Process(hasty.pid)
    async with Client(hasty.url) as client, contextlib.AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(Wire(hasty.url)) for _ in range(200)]
        for wire, sent in zip(wires, cycle((HALF_A_HEAD, b"G", HALF_A_BODY, b"")), strict=False):
            await wire.write(sent)
        delays = await _delays(client, 20)
        heard = [(await wire.all(HEADER_SECONDS + LINGER_SECONDS + SLACK_SECONDS))[:12] for wire in wires]
        gone = await seconds_until(lambda: _few(process), within=LINGER_SECONDS + SLACK_SECONDS)

    print(f"half within {median(delays) * 1000:.0f} ms, all in {max(delays) * 1000:.0f} ms; gone {gone:.1f} s later")
    assert Counter(heard) == {b"HTTP/1.1 408": 150, b"": 50}
    assert max(delays) < UNHARMED_SECONDS


async def test_who_is_too_slow_is_told_so(hasty: ServerProcess) -> None:
    async def told(sent: bytes) -> Answer:
        async with Wire(hasty.url) as wire:
            await wire.write(sent)
            answer = await wire.answer()
            assert await wire.ends()
        return answer

    answers = await asyncio.gather(*map(told, (HALF_A_HEAD, HALF_A_BODY, NO_CHUNK)))

    documents = [problem(httpx.Response(a.status, headers=a.headers, content=a.body)) for a in answers]
    assert [document["status"] for document in documents] == [408] * 3
    assert {document["code"] for document in documents} == {"request-timeout"}
    assert [document["detail"].split()[1] for document in documents] == ["head", "body", "body"]


async def test_a_head_that_comes_byte_by_byte_gains_no_time(hasty: ServerProcess) -> None:
    begun = time.monotonic()
    async with Wire(hasty.url) as wire, _dripping(wire, HALF_A_HEAD, b"a" * 100):
        answer = await wire.answer()
    lasted = time.monotonic() - begun

    assert answer.status == 408
    assert HEADER_SECONDS <= lasted < HEADER_SECONDS + SLACK_SECONDS


async def test_a_body_that_comes_byte_by_byte_has_its_time_and_no_more(hasty: ServerProcess) -> None:
    begun = time.monotonic()
    async with Wire(hasty.url) as wire, _dripping(wire, HALF_A_BODY, b"a" * 90):
        answer = await wire.answer()
    lasted = time.monotonic() - begun

    assert answer.status == 408
    assert BODY_IDLE_SECONDS < BODY_SECONDS <= lasted < BODY_SECONDS + SLACK_SECONDS


async def test_a_connection_between_two_requests_has_longer(hasty: ServerProcess) -> None:
    async with Wire(hasty.url) as wire:
        await wire.write(WHOLE)
        first = await wire.answer()
        begun = time.monotonic()
        ended = await wire.ends()
        lasted = time.monotonic() - begun

    assert first.status == 200
    assert ended
    assert KEEP_ALIVE_SECONDS - 0.1 <= lasted < KEEP_ALIVE_SECONDS + SLACK_SECONDS


async def test_half_a_request_behind_a_whole_one_is_not_forgotten(hasty: ServerProcess) -> None:
    async with Wire(hasty.url) as wire:
        await wire.write(WHOLE + HALF_A_HEAD)
        answers = [await wire.answer(), await wire.answer()]
        ended = await wire.ends()

    assert [answer.status for answer in answers] == [200, 408]
    assert ended


async def test_a_body_that_no_route_wants_is_not_waited_for_either(hasty: ServerProcess) -> None:
    async with Wire(hasty.url) as wire:
        await wire.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        answer = await wire.answer()
        ended = await wire.ends()

    assert answer.status == 200
    assert ended


async def test_a_live_feed_and_a_socket_outlive_all_deadlines(hasty: ServerProcess) -> None:
    async with Client(hasty.url) as client:
        session = await client.session()
        path = f"GET {client.path(session)}/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
        handshake = (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        async with Wire(hasty.url) as feed, Wire(hasty.url) as socket, Wire(hasty.url) as idle:
            await feed.write((path % ("events/live", "")).encode())
            await socket.write((path % (f"ws?after={await client.position(session)}", handshake)).encode())
            await idle.write(WHOLE)
            await idle.answer()
            assert await idle.ends()
            await client.accepted(session, "Hi")
            seen = [await wire.read_until(b"BRANCH_RUN_COMPLETED") for wire in (feed, socket)]

    assert seen[0].startswith(b"HTTP/1.1 200")
    assert seen[1].startswith(b"HTTP/1.1 101")


@contextlib.asynccontextmanager
async def _dripping(wire: Wire, first: bytes, rest: bytes) -> AsyncIterator[None]:
    async def drip() -> None:
        await wire.write(first)
        with contextlib.suppress(ConnectionError):
            for at in range(len(rest)):
                await wire.write(rest[at : at + 1])
                await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    try:
        yield
    finally:
        dripping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await dripping


async def _delays(client: Client, count: int) -> list[float]:
    delays = []
    for _ in range(count):
        begun = time.perf_counter()
        assert (await client.http.get("/healthz")).status_code == 200
        delays.append(time.perf_counter() - begun)
    return delays


async def _few(process: psutil.Process) -> bool:
    return len(_peers(process)) < 3


def _peers(process: psutil.Process) -> set[tuple[str, int]]:
    return {(peer.raddr.ip, peer.raddr.port) for peer in process.net_connections(kind="tcp") if peer.raddr}
