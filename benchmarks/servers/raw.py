"""Raw uvloop: one `transport.write` of prepared bytes a reader and event, the floor that the system call sets."""

import asyncio
import gc
import json
from collections.abc import Sequence
from typing import cast

import uvloop

from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.tokens import BARE_EPOCH

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}"


class _Connection(asyncio.Protocol):
    readers: set[asyncio.Transport] = set()  # noqa: RUF012 - shared by all connections on purpose
    head = 0
    _tasks: set[asyncio.Task[None]] = set()  # noqa: RUF012

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports write, but are no subclass of what asyncio calls one.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /live"):
            opening = _chunk([b"retry: 2000\nid: %b.%d\n\n" % (BARE_EPOCH.encode(), self.head)])
            self._transport.write(_HEAD + opening)
            self.readers.add(self._transport)
            return
        order = FanOutOrder.parse(json.loads(data.partition(b"\r\n\r\n")[2])["text"])
        self._transport.write(_ACCEPTED)
        task = asyncio.get_running_loop().create_task(order.publish_frames(self._publish))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        self.readers.discard(self._transport)

    def _publish(self, frames: Sequence[bytes]) -> None:
        type(self).head += len(frames)
        chunk = _chunk(frames)
        for reader in self.readers:
            reader.write(chunk)


def _chunk(frames: Sequence[bytes]) -> bytes:
    body = b"".join(frames)
    return b"%x\r\n%b\r\n" % (len(body), body)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=2048)
    gc.collect()
    gc.freeze()
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
