"""The answer that hands a content out: streamed, as a file to keep, and never as a page of this server's."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import quote

import structlog
from litestar import Request, Response
from litestar.types import ASGIApp, HTTPResponseStartEvent, Receive, Scope, Send

from hosting.api.problems import ApiError
from hosting.domain.content import Content
from hosting.domain.content_errors import ContentMissing
from hosting.domain.content_range import ContentRange, RangeUnsatisfiable
from hosting.domain.errors import BranchlineError

_log = structlog.get_logger("branchline.content")

_ALWAYS: Final[Mapping[str, str]] = {
    "Accept-Ranges": "bytes",
    # It may be deleted: whoever keeps it asks again, and is answered 304 while it is there.
    "Cache-Control": "private, no-cache",
    # What somebody uploaded as a page must not be one that acts in this server's name.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def etag_of(content: Content) -> str:
    """Return the entity tag of a content (RFC 9110, section 8.8.3)."""
    return f'"{content.sha256}"'


def is_known(request: Request[Any, Any, Any], content: Content) -> bool:
    """Say whether the client has the content already (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag_of(content) in tags or tags == ["*"]


def asked_range(request: Request[Any, Any, Any], content: Content) -> ContentRange | None:
    """Return the range that is asked for; None for all of the content.

    Raises:
        ApiError: nothing is in the range.
    """
    header, condition = request.headers.get("range"), request.headers.get("if-range")
    if header is None or condition not in {None, etag_of(content)}:
        return None
    try:
        return ContentRange.read(header, content.size_bytes)
    except RangeUnsatisfiable as error:
        # RFC 9110, section 15.5.17.
        whole = {"Content-Range": f"bytes */{content.size_bytes}"}
        raise ApiError("range-not-satisfiable", f"The content has {content.size_bytes} bytes.", whole) from error


class FileResponse(Response[None]):
    """An answer about a file, which frames itself."""


class NotModified(FileResponse):
    """Says that a client has the content already."""

    def __init__(self, content: Content) -> None:
        super().__init__(None)
        self._start = _start(304, {**_ALWAYS, "ETag": etag_of(content)})

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        """Return the ASGI application that says so; the framework's own would have a body."""

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            await send(self._start)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return respond


class ContentAnswer(FileResponse):
    """Sends the bytes of a content as they are read: `first`, then `others`."""

    def __init__(
        self, content: Content, span: ContentRange | None, first: bytes, others: AsyncGenerator[bytes]
    ) -> None:
        headers = {
            **_ALWAYS,
            "Content-Disposition": disposition(content.name),
            "Content-Length": str((span or ContentRange(0, content.size_bytes - 1)).size_bytes),
            "Content-Type": content.content_type,
            "ETag": etag_of(content),
        }
        if span is not None:
            headers["Content-Range"] = f"bytes {span.first}-{span.last}/{content.size_bytes}"
        super().__init__(None)
        self._start = _start(200 if span is None else 206, headers)
        self._content = content
        self._first = first
        self._others = others

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        """Return the ASGI application that sends."""
        return self._respond

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Looked for: what is sent to nobody is not told, and would be read to its end.
        gone = asyncio.create_task(_until_gone(receive), name="content reader")
        try:
            async with aclosing(self._others) as others:
                await send(self._start)
                await send({"type": "http.response.body", "body": self._first, "more_body": True})
                async for piece in others:
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ContentMissing:
            # As with the others, the headers are out; and nothing is wrong with the server.
            _log.info("a content was deleted while it was handed out", content=self._content.id)
        except BranchlineError as error:
            # The headers are out: the answer ends without its end, and the connection with it.
            _log.error("a content could not be handed out", content=self._content.id, error=repr(error))
        finally:
            gone.cancel()


def disposition(name: str) -> str:
    """Return the header that names a file to keep (RFC 6266), whatever characters the name has."""
    shown = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in name)
    exact = quote(name, safe="!#$&+-.^_`|~")
    return f'attachment; filename="{shown}"' + ("" if shown == name else f"; filename*=UTF-8''{exact}")


def _start(status: int, headers: Mapping[str, str]) -> HTTPResponseStartEvent:
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": encoded}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
