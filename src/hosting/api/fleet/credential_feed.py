"""The stream of changes among credentials, as server-sent events."""

import asyncio
from typing import Any, Final

import msgspec
import structlog
from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import UNSET, Struct, UnsetType

from events import sse
from events.serializer import timestamp_text
from hosting.api.access import can_end, until_ended
from hosting.api.live import RETRY_MS, LiveSettings
from hosting.domain.credential import Place
from hosting.services.credentials.news import News, Reader, Told

_log = structlog.get_logger("branchline.credentials")

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_UNKNOWN: Final = "unknown"
_LONGEST_NUMBER: Final = 19
_NOWHERE: Final = 1 << 62


class CredentialUpdate(Struct, frozen=True, kw_only=True, rename="camel", tag="UPDATE"):
    """That credentials of a session were changed; no names stand for any, and no time for one unknown."""

    session_id: str
    kind: str
    names: tuple[str, ...]
    rotated_at: str | UnsetType = UNSET


class CredentialFeed(Response[None]):
    """A response that follows changes until the client leaves, its key opens nothing more, or the server leaves."""

    def __init__(
        self,
        news: News,
        settings: LiveSettings,
        session_id: str,
        place: Place,
        *,
        environment: str | None,
        head: int,
        asked: str | None,
    ) -> None:
        super().__init__(None)
        self._news = news
        self._settings = settings
        self._session_id = session_id
        self._place = place
        self._environment = environment
        self._head = head
        self._asked = asked

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        """Return the ASGI application that streams."""
        return self._stream

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        missed = None
        if self._asked is not None:
            missed = await self._news.missed(self._place.tenant, _number(self._asked), self._head)
        start = self._head if missed is None else missed.number
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        # The place behind all comes last: whoever is cut off before it comes back with an older one.
        told = b"" if missed is None else b"\n" + self._framed(missed)
        await _send(send, b"retry: %d\n%bid: %d\n\n" % (RETRY_MS, told, start))
        with self._news.following(self._place.tenant, start) as reader:
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(self._tell(reader, send), name="credential feed")
                checking = tasks.create_task(self._check(telling, scope, send), name="credential feed is checked")
                await _disconnected(receive)
                checking.cancel()
                telling.cancel()

    async def _check(self, telling: "asyncio.Task[None]", scope: Scope, send: Send) -> None:
        """End the stream when who follows may follow no more: its key can be revoked."""
        if can_end(scope):
            await until_ended(scope, self._settings.heartbeat_seconds)
            telling.cancel()
            await asyncio.wait([telling])
            await _end(send, b": this key opens nothing any more\n\n")

    async def _tell(self, reader: Reader, send: Send) -> None:
        try:
            while not self._news.is_shut:
                told = await reader.next(self._settings.heartbeat_seconds)
                if told is not None:
                    # An empty one would end the body.
                    await _send(send, self._framed(told) or b"id: %d\n\n" % told.number)
                elif not self._news.is_shut:
                    await _send(send, b"%bid: %d\n\n" % (sse.HEARTBEAT, reader.cursor))
        except Exception:  # noqa: BLE001 - the outermost loop of a stream: what breaks it ends it
            _log.exception("credential feed broke")
        await _end(send, b": closing\nretry: %d\n\n" % self._settings.jitter_ms())

    def _framed(self, told: Told) -> bytes:
        """Return what of it concerns this session, as events; nothing, if nothing does."""
        if told.changes is None:
            return _event(told.number, CredentialUpdate(session_id=self._session_id, kind=_UNKNOWN, names=()))
        return b"".join(
            _event(
                each.number,
                CredentialUpdate(
                    session_id=self._session_id,
                    kind=each.kind,
                    names=each.names,
                    rotated_at=timestamp_text(each.at),
                ),
            )
            for each in told.changes
            if each.concerns(self._place, self._environment)
        )


def _event(number: int, update: CredentialUpdate) -> bytes:
    return b"id: %d\nevent: UPDATE\ndata: %b\n\n" % (number, msgspec.json.encode(update))


def _number(text: str) -> int:
    """Return the place that a client was at; one that is none of ours is as if it had missed everything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else _NOWHERE


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _end(send: Send, body: bytes) -> None:
    await _send(send, body)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    # Sending to a client that has left succeeds for ever; only receiving tells. It tells of our own end as well.
    while (await receive())["type"] != "http.disconnect":
        pass
