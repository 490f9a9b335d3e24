"""Heads are bounded in bytes and headers, and addresses in connections, before anything is kept of what is too much."""

import asyncio
import contextlib
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.edge.deadline import seconds_until
from tests.edge.problem import problem
from tests.edge.wire import Answer, Wire
from tests.harness.client import Client
from tests.harness.process import ServerProcess

MEBIBYTE = 1 << 20
START = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"

BOMBS = {
    "a header of 64 MiB": (START + b"X: ", b"a" * MEBIBYTE, 64),
    "a name of 64 MiB": (START, b"a" * MEBIBYTE, 64),
    "a target of 64 MiB": (b"GET /", b"a" * MEBIBYTE, 64),
    "a method of 64 MiB": (b"", b"G" * MEBIBYTE, 64),
    "100 000 headers": (START, b"X: y\r\n" * 1000, 100),
    "100 000 headers behind a body": (
        b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
        b"X: y\r\n" * 10_000,
        100,
    ),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_head_without_end_is_refused_early_and_costs_little(
    plain_edge: Client, plain_server: ServerProcess, name: str
) -> None:
    first, more, times = BOMBS[name]
    process = psutil.Process(plain_server.pid)
    await plain_edge.session()
    before = process.memory_info().rss

    async with Wire(plain_edge.base) as wire:
        await wire.write(first)
        sending = asyncio.create_task(_send(wire, more, times))
        answer = await wire.answer()
        ended = await wire.ends()
        await sending
    grown = process.memory_info().rss - before

    assert answer.status in {400, 431}
    assert (answer.status == 431) == (_document(answer)["code"] == "headers-too-large")
    assert (answer.status == 400) == (name in {"a method of 64 MiB", "100 000 headers behind a body"})
    assert ended
    assert grown < 4 * MEBIBYTE


async def test_a_hundred_heads_at_once_that_are_too_large_cost_less_than_a_mebibyte_each(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    process = psutil.Process(server.pid)
    before = process.memory_info().rss

    async with contextlib.AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(Wire(server.url)) for _ in range(100)]
        for wire in wires:
            await wire.write(START + b"X: " + b"a" * 60_000)
        for wire in wires:
            await wire.write(b"a" * 60_000)
        grown = process.memory_info().rss - before
        statuses = {(await wire.answer()).status for wire in wires}

    assert statuses == {431}
    assert grown < 100 * MEBIBYTE


@pytest.mark.parametrize(("headers", "status"), [(98, 200), (99, 200), (100, 431), (101, 431)])
async def test_a_hundred_headers_are_taken(plain_edge: Client, headers: int, status: int) -> None:
    async with Wire(plain_edge.base) as wire:
        # Host is one of them.
        answer = await wire.request("GET", "/healthz", *(f"X-{number}: y" for number in range(headers)))

    assert answer.status == status


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize(("size", "status"), [(65_000, 200), (65_536, 200), (65_537, 431), (70_000, 431)])
async def test_heads_of_up_to_64_kib_are_taken(plain_edge: Client, size: int, status: int, pieces: int) -> None:
    head = START + b"X: %b\r\n\r\n"
    whole = head % (b"a" * (size - len(head) + 2))
    step = -(-len(whole) // pieces)

    async with Wire(plain_edge.base) as wire:
        for at in range(0, len(whole), step):
            await wire.write(whole[at : at + step])
        answer = await wire.answer()

    assert len(whole) == size
    assert answer.status == status


async def test_a_large_body_in_the_same_piece_as_its_head_is_no_large_head(plain_edge: Client) -> None:
    body = b'{"metadata":{"a":"%b"}}' % (b"x" * 200_000)

    async with Wire(plain_edge.base) as wire:
        await wire.write(
            b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        answer = await wire.answer()

    assert answer.status == 201


async def test_a_handshake_may_have_a_head_as_large_as_any_request(plain_edge: Client) -> None:
    session = await plain_edge.session()

    async with Wire(plain_edge.base) as wire:
        answer = await wire.request(
            "GET",
            f"{plain_edge.path(session)}/ws",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Cookie: {'é' * 20_000}",
        )

    assert answer.status == 101


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (("Sec-WebSocket-Version: 13",), "Sec-WebSocket-Key"),
        (("Sec-WebSocket-Version: 12", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), "Sec-WebSocket-Version"),
        (("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: a"), "Sec-WebSocket-Key"),
    ],
)
async def test_a_handshake_that_is_none_is_told_why(plain_edge: Client, wrong: tuple[str, ...], word: str) -> None:
    session = await plain_edge.session()

    async with Wire(plain_edge.base) as wire:
        path = f"{plain_edge.path(session)}/ws"
        answer = await wire.request("GET", path, "Connection: Upgrade", "Upgrade: websocket", *wrong)
        ended = await wire.ends()

    document = _document(answer)
    assert (document["status"], document["code"]) == (400, "invalid-request")
    assert word in document["detail"]
    assert document["instance"] == path
    assert ended


async def test_an_address_has_so_many_connections_and_no_more_until_some_have_gone(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, connections_per_address=5).start()
    handshake = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

    async with contextlib.AsyncExitStack() as stack:
        async with Wire(server.url) as wire:
            session = (await wire.request("POST", "/sessions")).json["id"]
            path = f"/agents/demo/sessions/{session}/branches/main/ws"
            sockets = [await stack.enter_async_context(Wire(server.url)) for _ in range(4)]
            # Sockets are counted like all others.
            switched = [(await socket.request("GET", path, *handshake, key)).status for socket in sockets]
            async with Wire(server.url) as sixth:
                refused = await sixth.answer()
                ended = await sixth.ends()
        freed = await seconds_until(lambda: _is_served(server.url), within=5)
        for socket in sockets:
            await socket.__aexit__()
        await seconds_until(lambda: _all_served(server.url, 5), within=5)

    assert switched == [101] * 4
    assert (refused.status, _document(refused)["code"]) == (429, "too-many-requests")
    assert "retry-after" in refused.headers
    assert ended
    assert freed < 5


async def _all_served(url: str, count: int) -> bool:
    async with contextlib.AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(Wire(url)) for _ in range(count)]
        return {(await wire.request("GET", "/healthz")).status for wire in wires} == {200}


async def _is_served(url: str) -> bool:
    return await _all_served(url, 1)


async def _send(wire: Wire, more: bytes, times: int) -> None:
    with contextlib.suppress(ConnectionError):
        for _ in range(times):
            await wire.write(more)


def _document(answer: Answer) -> dict[str, str]:
    return problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body))
