"""HEAD: what GET would answer, without its body (RFC 9110, section 9.3.2)."""

from collections.abc import Iterable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_OF_GET_ALONE: Final = frozenset({b"range", b"if-range"})


class HeadAsGet:
    """Stands before an application, and ends the answer to HEAD with its headers: a live feed would go on for ever."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; HEAD as GET."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            # Once this is sent, `receive` says that the client has gone, and who would send more ends.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        as_get = dict(scope)
        as_get["method"] = "GET"
        # Ranges are of GET alone (RFC 9110, section 14.2).
        as_get["headers"] = [each for each in scope["headers"] if each[0] not in _OF_GET_ALONE]
        # By an extension, somebody could send a body past this.
        as_get["extensions"] = {}
        await self._app(as_get, receive, send_headers)  # type: ignore[arg-type]


def allow_header(methods: Iterable[str]) -> str:
    """Write the header Allow for a route that has handlers for these methods."""
    # The framework counts a WebSocket among them.
    known = {method for method in methods if method.isupper()}
    return ", ".join(sorted(known | {"HEAD"} if "GET" in known else known))
