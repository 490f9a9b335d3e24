"""Bare ASGI with rings: how fast uvicorn lets anyone fan out."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

from benchmarks.servers.bare_http import Receive, Send, accept, follow, read_text, routed
from benchmarks.servers.bare_ring import BareRing
from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.servers.listening import listen
from benchmarks.servers.produce_order import ProduceOrder
from events import sse
from events.position import Position

_rings: defaultdict[str, BareRing] = defaultdict(BareRing)
_tasks: set[asyncio.Task[None]] = set()


async def _live(path: str, receive: Receive, send: Send) -> None:
    await follow(_rings[path], receive, send)


async def _publish(path: str, receive: Receive, send: Send) -> None:
    order = FanOutOrder.parse(await read_text(receive))
    await accept(send)
    _begin(order.publish_frames(_rings[path].publish, _rings[path].armed))


async def _produce(path: str, receive: Receive, send: Send) -> None:
    order = ProduceOrder.parse(await read_text(receive))
    await accept(send)
    _begin(order.produce(list(_rings.values()), _publish_one))


def _publish_one(ring: BareRing, first: Position, lines: list[bytes]) -> None:
    ring.publish(sse.frames(first, lines))


def _begin(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


if __name__ == "__main__":
    listen(routed({"live": _live, "publish": _publish, "produce": _produce}))
