"""Bare ASGI with a log: a thread that commits prepared rows with plain sqlite3, then the ring, then the readers.

What streaming durable tokens costs at least: no sessions, runs, leases or JSON, and not one event is encoded.
A flush takes everything that waits, a row is at most 256 events of one branch, synchronous=FULL, WAL.
"""

import asyncio
import gc
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from benchmarks.servers.bare_http import Receive, Send, accept, follow, read_text, routed
from benchmarks.servers.bare_ring import BareRing
from benchmarks.servers.listening import listen
from benchmarks.tokens import BARE_EPOCH, bursts, timed_lines, token_frames
from events import sse
from events.position import Position

_ROW_EVENTS = 256
_Waiting = tuple[str, bytes, "asyncio.Future[None]", asyncio.AbstractEventLoop]


class _Log:
    """Commits rows on a thread of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._queue: SimpleQueue[_Waiting] = SimpleQueue()
        Thread(target=self._serve, name="bare sqlite writer", daemon=True).start()

    def commit(self, branch: str, frames: Sequence[bytes]) -> "asyncio.Future[None]":
        """Queue one row."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._queue.put((branch, b"".join(frames), done, loop))
        return done

    def _serve(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE log (number INTEGER PRIMARY KEY, branch TEXT NOT NULL, frames BLOB NOT NULL)")
        while True:
            waiting = self._take()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO log (branch, frames) VALUES (?, ?)", [each[:2] for each in waiting])
            connection.execute("COMMIT")
            waiting[0][3].call_soon_threadsafe(_settle, [each[2] for each in waiting])

    def _take(self) -> list[_Waiting]:
        taken = [self._queue.get()]
        try:
            while True:
                taken.append(self._queue.get_nowait())
        except Empty:
            return taken


class _App:
    """Routes: follow a branch, submit a number of tokens to it, and a POST that does nothing."""

    def __init__(self, log: _Log) -> None:
        self._log = log
        self._rings: defaultdict[str, BareRing] = defaultdict(BareRing)
        self._runs: set[asyncio.Task[None]] = set()

    async def live(self, branch: str, receive: Receive, send: Send) -> None:
        await follow(self._rings[branch], receive, send)

    async def inputs(self, branch: str, receive: Receive, send: Send) -> None:
        count = int(await read_text(receive))
        await self._start(branch, send, lambda ring: self._run(branch, ring, count))

    async def paced(self, branch: str, receive: Receive, send: Send) -> None:
        count, rate, starts, _ = (await read_text(receive)).split()
        await self._start(
            branch, send, lambda ring: self._run_paced(branch, ring, int(count), float(rate), float(starts))
        )

    async def echo(self, branch: str, receive: Receive, send: Send) -> None:
        await read_text(receive)
        await accept(send)

    async def _start(self, branch: str, send: Send, work: Callable[[BareRing], Coroutine[Any, Any, None]]) -> None:
        ring = self._rings[branch]
        await self._publish(branch, ring, [_marker(ring.head + 1, b"BRANCH_RUN_STARTED")])
        await accept(send)
        run = asyncio.create_task(work(ring))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)

    async def _run_paced(self, branch: str, ring: BareRing, count: int, rate: float, starts: float) -> None:
        for index in range(count):
            await asyncio.sleep(max(0.0, starts + index / rate - time.monotonic()))
            place = Position(BARE_EPOCH, ring.head + 1)
            await self._publish(branch, ring, sse.frames(place, timed_lines(place, 1)))
        await self._publish(branch, ring, [_marker(ring.head + 1, b"BRANCH_RUN_COMPLETED")])

    async def _run(self, branch: str, ring: BareRing, count: int) -> None:
        frames = _prepared(ring.head + 1, count)
        for row in bursts([*frames, _marker(ring.head + 1 + count, b"BRANCH_RUN_COMPLETED")], _ROW_EVENTS):
            await self._publish(branch, ring, row)

    async def _publish(self, branch: str, ring: BareRing, frames: Sequence[bytes]) -> None:
        await self._log.commit(branch, frames)
        ring.publish(frames)


@cache
def _prepared(first: int, count: int) -> list[bytes]:
    return token_frames(Position(BARE_EPOCH, first), count)


def _marker(seq: int, wire_type: bytes) -> bytes:
    return b'id: %b.%d\ndata: {"version":"1.0","type":"%b"}\n\n' % (BARE_EPOCH.encode(), seq, wire_type)


def _settle(futures: list["asyncio.Future[None]"]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    gc.collect()
    app = _App(_Log(sys.argv[1]))
    listen(routed({"live": app.live, "inputs": app.inputs, "paced": app.paced, "echo": app.echo}))
