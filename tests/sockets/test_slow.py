"""A socket whose peer takes nothing is told so with 1013 if it still listens, and cut if it does not."""

import json
from collections.abc import Callable

import psutil

from tests.following.stuck import connected, until
from tests.harness.client import Client
from tests.harness.feed import COMPLETED
from tests.harness.process import ServerProcess
from tests.sockets.raw import CLOSE, TEXT, RawSocket, frame

Make = Callable[..., ServerProcess]

INPUT = b'{"type":"USER_TEXT_INPUT","text":"/tokens 8000"}'
SLOW_READER_SECONDS = 0.5


async def test_a_peer_that_wakes_up_in_time_hears_that_it_was_too_slow_and_may_come_back(
    make_server: Make, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, slow_reader_seconds=SLOW_READER_SECONDS).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with RawSocket(server.url, f"{client.path(session)}/ws") as slow:
            slow.take_nothing()
            await slow.write(frame(TEXT, INPUT))
            await until(lambda: '"reason": "slow"' in server.errors.read_text())
            slow.take_again()
            lines, code, reason = await _to_close(slow)
        log = await client.log_lines(session)

    *events, closing = lines
    assert (code, reason) == (1013, "slow")
    assert events == log[1 : 1 + len(events)]
    assert 0 < len(events) < len(log)
    last = json.loads(closing)
    assert (last["type"], last["reason"]) == ("STREAM_CLOSING", "slow")
    assert 0 < last["retryMs"] <= 2000


async def test_a_peer_that_takes_nothing_at_all_is_cut_and_nobody_else_is_kept_waiting(
    make_server: Make, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, slow_reader_seconds=SLOW_READER_SECONDS).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        async with (
            RawSocket(server.url, f"{client.path(session)}/ws") as deaf,
            client.feed(session) as feed,
        ):
            deaf.take_nothing()
            await deaf.write(frame(TEXT, INPUT))
            body = await feed.read_through(COMPLETED)
            await until(lambda: deaf.address not in connected(process))
        log = await client.log_lines(session)

    assert body.count(b"\ndata: ") == len(log) - 1
    assert server.errors.read_text().count('"reason": "slow"') == 1
    assert '"level": "error"' not in server.errors.read_text()


async def _to_close(socket: RawSocket) -> tuple[list[str], int, str]:
    lines: list[str] = []
    while True:
        opcode, payload = await socket.read()
        if opcode == TEXT:
            lines.append(payload.decode())
        elif opcode == CLOSE:
            return lines, int.from_bytes(payload[:2], "big"), payload[2:].decode()
