"""WebSocket handshakes that are refused: answered as requests are, with a problem document."""

from typing import Final

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hosting.api.problems import MEDIA_TYPE, Problem, headers_of, problem, status_of

_NO_SOCKET: Final = "No WebSocket is served here; each branch has one at its /ws."


async def refuse_handshake(scope: Scope, send: Send, code: str, detail: str) -> None:
    """Answer a handshake that was received with a problem; a server that cannot makes a bare 403 of the close."""
    document = problem(scope["path"], status_of(code), code, detail)
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        # The code goes nowhere: what is closed before it is accepted is a plain 403.
        await send({"type": "websocket.close", "code": 1000, "reason": code})
        return
    body = msgspec.json.encode(document)
    await send(
        {"type": "websocket.http.response.start", "status": document.status, "headers": _headers(document, body)}
    )
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})


class HandshakeGuard:
    """Stands before an application: what its router refuses without a word becomes a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and answer a close that comes before the handshake is answered."""
        if scope["type"] != ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
            return
        answered = False

        async def answer(message: Message) -> None:
            nonlocal answered
            if message["type"] == "websocket.close" and not answered:
                await refuse_handshake(scope, send, "not-found", _NO_SOCKET)
            else:
                await send(message)
            answered = True

        await self._app(scope, receive, answer)


def _headers(document: Problem, body: bytes) -> list[tuple[bytes, bytes]]:
    with_status = headers_of(document.status).items()
    return [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in with_status),
    ]
