"""D6: nothing that only looks like HTTP or like a WebSocket shakes the server."""

import asyncio
import contextlib
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence

import psutil
import pytest

from tests.edge.mutator import Mutator, http_messages, socket_messages
from tests.edge.wire import Wire
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.sockets.raw import CLOSE, RawSocket

MEBIBYTE = 1 << 20
AT_ONCE = 100
LONGEST_SECONDS = 0.5
# Most answers are seen to be whole when the connection ends.
HASTY = {"keep_alive_seconds": 0.2}
FAULT = (1011).to_bytes(2, "big")


class Siege:
    """Sends changed messages to a server, and keeps what came of them."""

    def __init__(self, server: ServerProcess, seed: int) -> None:
        self._server = server
        self._mutator = Mutator(seed)
        self._seed = seed
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def http(self, messages: Sequence[bytes], count: int) -> None:
        """Send so many changed requests, each on a connection of its own."""
        await self._many(count, lambda: self._request(self._mutator.mutated(messages)))

    async def sockets(self, path: str, messages: Sequence[bytes], count: int) -> None:
        """Send so many changed frames, each on a WebSocket of its own."""
        await self._many(count, lambda: self._frames(path, self._mutator.mutated(messages)))

    async def _many(self, count: int, one: Callable[[], object]) -> None:
        for start in range(0, count, AT_ONCE):
            made = [one() for _ in range(min(AT_ONCE, count - start))]
            await asyncio.gather(*made)  # type: ignore[arg-type]

    async def _request(self, message: bytes) -> None:
        async with Wire(self._server.url) as wire:
            with contextlib.suppress(ConnectionError):
                await wire.write(message)
            seen = await wire.all(LONGEST_SECONDS)
        statuses = re.findall(rb"HTTP/1\.1 (\d{3})", seen)
        self.answers.update(status.decode()[:1] + "xx" for status in statuses or [b"0"])
        if any(status >= b"500" for status in statuses) or not seen.startswith((b"HTTP/1.1 ", b"")):
            self._note(message, seen)

    async def _frames(self, path: str, message: bytes) -> None:
        async with RawSocket(self._server.url, path) as raw:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await raw.write(message)
                while True:
                    opcode, payload = await raw.read(seconds=LONGEST_SECONDS)
                    if opcode == CLOSE:
                        self.answers[str(int.from_bytes(payload[:2], "big"))] += 1
                        if payload[:2] == FAULT:
                            self._note(message, payload)
                        return
            self.answers["no close"] += 1

    def _note(self, message: bytes, seen: bytes) -> None:
        self.wrong.append(f"seed {self._seed}: {message!r:.500} brought {seen!r:.300}")


async def _besiege(server: ServerProcess, *, each: int, seed: int) -> None:
    siege = Siege(server, seed)
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        path = f"{client.path(session)}/ws"
        # What is made once, by the first of anything, is no growth.
        await siege.http(http_messages(session), 50)
        await siege.sockets(path, socket_messages(), 50)
        before = process.memory_info().rss

        await siege.http(http_messages(session), each)
        await siege.sockets(path, socket_messages(), each)
        grown = process.memory_info().rss - before
        healthy = (await client.http.get("/healthz")).status_code
        last = await client.session()

    logged = [line for line in server.errors.read_text().splitlines() if '"level": "info"' not in line]
    print(
        f"D6 {2 * each - len(siege.wrong)} ok / {2 * each}, seed {seed}: grown by {grown / MEBIBYTE:.1f} MiB, "
        f"{len(logged)} log lines, {dict(siege.answers.most_common())}"
    )
    assert siege.wrong == []
    assert logged == []
    assert (healthy, bool(last)) == (200, True)
    assert grown < 20 * MEBIBYTE


async def test_a_few_hundred_malformed_messages_harm_nothing(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    await _besiege(make_server(sqlite_url, **HASTY).start(), each=200, seed=random.randrange(10**6))


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_d6_ten_thousand_malformed_messages_of_each_kind(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    each, seed = int(os.environ.get("ROUNDS", "10000")), int(os.environ.get("SEED", "1"))

    await _besiege(make_server(database_url, **HASTY).start(), each=each, seed=seed)
