"""Litestar's own ServerSentEvent, as its documentation shows it: each reader encodes each event."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from litestar import Litestar, Request, get, post
from litestar.response import ServerSentEvent, ServerSentEventMessage

from benchmarks.servers.bare_ring import BareRing
from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.servers.listening import listen
from benchmarks.tokens import BARE_EPOCH

_ring = BareRing()
_tasks: set[asyncio.Task[None]] = set()


@get("/live")
async def _live() -> ServerSentEvent:
    return ServerSentEvent(_events(_ring.head))


@post("/publish", status_code=202)
async def _publish(request: Request[Any, Any, Any]) -> dict[str, str]:
    order = FanOutOrder.parse(json.loads(await request.body())["text"])
    task = asyncio.create_task(order.publish_frames(_publish_data, _ring.armed))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return {"status": "active"}


async def _events(cursor: int) -> AsyncGenerator[ServerSentEventMessage]:
    yield ServerSentEventMessage(id=f"{BARE_EPOCH}.{cursor}", retry=2000)
    while True:
        while cursor == _ring.head:
            await _ring.grown()
        for data in _ring.since(cursor):
            cursor += 1
            yield ServerSentEventMessage(id=f"{BARE_EPOCH}.{cursor}", data=data)


def _publish_data(frames: Sequence[bytes]) -> None:
    _ring.publish([frame.partition(b"\ndata: ")[2].rstrip() for frame in frames])


if __name__ == "__main__":
    listen(Litestar([_live, _publish], openapi_config=None, logging_config=None))
