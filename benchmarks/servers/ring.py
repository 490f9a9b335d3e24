"""Bare ASGI with a ring: how fast uvicorn lets anyone fan out."""

import asyncio

from benchmarks.servers.bare_http import Receive, Send, accept, follow, read_text, routed
from benchmarks.servers.bare_ring import BareRing
from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.servers.listening import listen

_ring = BareRing()
_tasks: set[asyncio.Task[None]] = set()


async def _live(path: str, receive: Receive, send: Send) -> None:
    await follow(_ring, receive, send)


async def _publish(path: str, receive: Receive, send: Send) -> None:
    order = FanOutOrder.parse(await read_text(receive))
    await accept(send)
    task = asyncio.create_task(order.publish_frames(_ring.publish))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


if __name__ == "__main__":
    listen(routed({"live": _live, "publish": _publish}))
