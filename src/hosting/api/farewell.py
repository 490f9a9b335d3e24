"""The answer to a request whose body nobody wants to read to its end."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from litestar import Request, Response
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_READS_AT_MOST_BYTES: Final = 64 << 20
_READS_AT_MOST_SECONDS: Final = 5.0


class Farewell(Response[bytes]):
    """Answers at once, forgets what the client still sends, within bounds, and closes the connection.

    Closed with bytes unread, a connection is reset, and most clients then never see the answer.
    """

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        """Return the ASGI application that answers and then listens."""
        self.headers["Connection"] = "close"
        answer = super().to_asgi_response(*args, **kwargs)

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_all_but_the_end(message: Message) -> None:
                await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

            await answer(scope, receive, send_all_but_the_end)
            with suppress(TimeoutError):
                async with asyncio.timeout(_READS_AT_MOST_SECONDS):
                    await _forget(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return respond


def body_was_read(request: Request[Any, Any, Any]) -> None:
    """Note that a request's body has come to its end."""
    request.state.body_was_read = True


def may_send_more(request: Request[Any, Any, Any]) -> bool:
    """Say whether a part of the request's body may still be on its way."""
    if getattr(request.state, "body_was_read", False):
        return False
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


async def _forget(receive: Receive) -> None:
    total = 0
    while total < _READS_AT_MOST_BYTES:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        total += len(message["body"])
