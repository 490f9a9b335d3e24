"""Which pages may use the server: one check of `Origin`, for every request and every WebSocket handshake.

A browser says in `Origin` whose page is asking. Let in are pages of the server's own origin and of those that its
operator lists; all others are refused before a route sees them, so that no page can act as whoever has it open.
Who sends no `Origin` is let in: programs send none, and browsers leave it out only where a page cannot change anything
and, if it is another site's, cannot read the answer.

Listed origins are trusted: they may send credentials and any header, and may read every answer, refusals included.

The own origin is the one whose host and port are those of the request's `Host`. The schemes need not be equal:

- A page of `https` is accepted where the server sees `http`: a proxy took TLS off, which few tell the server.
- A page of `http` is refused where the server sees `https`: whoever is on the network could have written that page.

`Host` alone proves little for `http`, since a page of evil.example whose name is made to lead to 127.0.0.1 (DNS
rebinding) sends its own name in both headers. So the host of an own `http` origin must be one that nobody else can
make lead here: an address, localhost, or the host that the server was told to listen on; any other must be listed.
For `https` no such proof is needed, since nobody but a name's owner has a certificate for it.
A rebound page that reads with GET, with which browsers send no `Origin`, is refused by its `Host`: see `Keyless`.
"""

from collections.abc import Awaitable, Iterable
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hosting.api.origin import Origin, leads_here_only
from hosting.api.problems import MEDIA_TYPE, ApiError, Problem, api_problem, problem, status_of

_CODE: Final = "origin-refused"
_POLICY_VIOLATION: Final = 1008
_SHOWN_OF_ORIGIN: Final = 100

Headers = tuple[tuple[bytes, bytes], ...]

_METHODS: Final = b"GET, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS: Final = b"Content-Type, Last-Event-ID, Authorization, Idempotency-Key, Range, If-Range, If-None-Match"
_RESPONSE_HEADERS: Final = (
    b"Location, Link, Retry-After, Idempotency-Replayed, ETag, Accept-Ranges, Content-Range, Content-Disposition"
)
_PREFLIGHT_HOLDS_SECONDS: Final = b"600"
_VARIES: Final = (b"vary", b"Origin")


class OriginGuard:
    """Stands before an application: refuses pages of foreign origins, and lets listed ones read what it answers.

    Listed origins come as `str(Origin)` writes them; `host` is where the server was told to listen.
    """

    def __init__(self, app: ASGIApp, listed: Iterable[str], host: str) -> None:
        self._app = app
        self._listed = {origin: _readable_by(origin) for origin in listed}
        self._host = host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, answer a preflight, or refuse."""
        given = _values(scope, b"origin")
        if not given:
            await self._app(scope, receive, send)
            return
        origin = Origin.parse(given[0].decode("latin-1")) if len(given) == 1 else None
        readable = self._listed.get(str(origin))
        if origin is None or (readable is None and not self._is_own(scope, origin)):
            await _refuse(scope, receive, send, _refusal(origin, given))
        elif readable is None or scope["type"] == ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and _values(scope, b"access-control-request-method"):
            await _permit(scope, send, readable)
        else:
            await self._app(scope, receive, _with_headers(send, readable))

    def _is_own(self, scope: Scope, origin: Origin) -> bool:
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or Origin.parse(f"{origin.scheme}://{hosts[0].decode('latin-1')}") != origin:
            return False
        if origin.scheme == "http":
            return scope["scheme"] in {"http", "ws"} and self._leads_here_only(origin.host)
        return origin.scheme == "https"

    def _leads_here_only(self, host: str) -> bool:
        return host == self._host or leads_here_only(host)


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for header, value in scope["headers"] if header == name]


def _readable_by(origin: str) -> Headers:
    """Return what tells a browser that pages of this origin may read an answer."""
    return (
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _RESPONSE_HEADERS),
        _VARIES,
    )


def _with_headers(send: Send, headers: Headers) -> Send:
    # No coroutine of its own: each piece of a live feed passes here.
    def send_with_headers(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            return send({**message, "headers": [*message.get("headers", ()), *headers]})
        return send(message)

    return send_with_headers


async def _permit(scope: Scope, send: Send, readable: Headers) -> None:
    """Answer a preflight: whatever the page asks for, it may send."""
    asked = b", ".join(_values(scope, b"access-control-request-headers"))
    headers = [
        *readable,
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", asked or _REQUEST_HEADERS),
        (b"access-control-max-age", _PREFLIGHT_HOLDS_SECONDS),
        (b"vary", b"Access-Control-Request-Headers"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _refusal(origin: Origin | None, given: list[bytes]) -> ApiError:
    if origin is None:
        shown = b", ".join(given).decode("latin-1")[:_SHOWN_OF_ORIGIN]
        return ApiError(_CODE, f"The header Origin, {shown!r}, names no site; its pages may not use this server.")
    shown = str(origin)[:_SHOWN_OF_ORIGIN]
    return ApiError(_CODE, f"Pages of {shown} may not use this server; its operator can list it in BRANCHLINE_ORIGINS.")


async def _refuse(scope: Scope, receive: Receive, send: Send, error: ApiError) -> None:
    if scope["type"] == ScopeType.WEBSOCKET:
        await _refuse_handshake(scope, receive, send, problem(scope["path"], status_of(_CODE), _CODE, str(error)))
        return
    request = Request[Any, Any, Any](scope, receive, send)
    response = api_problem(request, error)
    response.headers["Vary"] = "Origin"
    await response.to_asgi_response(None, request)(scope, receive, send)


async def _refuse_handshake(scope: Scope, receive: Receive, send: Send, document: Problem) -> None:
    """Answer a handshake as a request is answered; a process that cannot makes a bare 403 of the close."""
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": _CODE})
        return
    body = msgspec.json.encode(document)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        _VARIES,
    ]
    await send({"type": "websocket.http.response.start", "status": status_of(_CODE), "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
