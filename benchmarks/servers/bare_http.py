"""The little that a bare ASGI application needs of HTTP."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from benchmarks.servers.bare_ring import BareRing
from benchmarks.tokens import BARE_EPOCH

Message = dict[str, Any]
Receive = Any
Send = Any

_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


async def read_text(receive: Receive) -> str:
    """Return the member `text` of the JSON body."""
    body = b""
    more = True
    while more:
        message: Message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return str(json.loads(body)["text"])


async def accept(send: Send) -> None:
    """Answer 202 with a body of the usual size."""
    body = b'{"runtimeRunId":"run_0","messageId":"msg_0","status":"active","position":"%b.0"}' % BARE_EPOCH.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def follow(ring: BareRing, receive: Receive, send: Send) -> None:
    """Stream a ring from its head on until the client leaves."""
    cursor = ring.head
    await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
    await _send(send, b"retry: 2000\nid: %b.%d\n\n" % (BARE_EPOCH.encode(), cursor))
    streaming = asyncio.create_task(_stream(ring, cursor, send))
    await gone(receive)
    streaming.cancel()


async def gone(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stream(ring: BareRing, cursor: int, send: Send) -> None:
    while True:
        while cursor == ring.head:
            await ring.grown()
        chunk = ring.after(cursor)
        cursor = ring.head
        await _send(send, chunk)


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def routed(routes: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Return an ASGI application that picks by the first part of the path and hands on the rest of it."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _, first, *rest = scope["path"].split("/")
            await routes[first]("/".join(rest), receive, send)

    return app
