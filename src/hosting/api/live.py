"""The live feed: a branch's events as server-sent events, framed by us and sent as they were stored."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from litestar import Request, Response, get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp, Receive, Scope, Send

from events import sse
from events.control import CloseReason, ResetReason
from events.ids import AgentId, BranchId, SessionId
from events.position import Position
from hosting.api.caller import Caller
from hosting.api.control_frames import ControlFrames
from hosting.api.openapi import answers
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing
from hosting.runtime.core import Runtime
from hosting.runtime.follow import Follower, Pause
from hosting.runtime.start import find_start

_log = structlog.get_logger("branchline.live")

RETRY_MS: Final = 2000

Write = Callable[[bytes], Awaitable[None] | None]
"""Writes a piece of a body; what it returns is to be awaited before the next one."""

CHUNKS: Final = "branchline.http.chunks"
"""The extension of ASGI by which a server gives an application a `Write` for the response that it has begun.

`send` costs a third of what an event costs altogether: a message, and a coroutine of every layer between.
"""

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How live feeds behave; `jitter_ms` says how long a client that is sent away should stay away."""

    heartbeat_seconds: float = 10.0
    jitter_ms: Callable[[], int] = lambda: random.randint(200, RETRY_MS)  # noqa: S311 - spreads load, hides nothing


@get(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}/events/live",
    media_type="text/event-stream",
    responses=answers("agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable"),
)
async def get_live(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> "LiveFeed":
    """Follow a branch, from now on or from the position in Last-Event-ID or `after`."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
    return LiveFeed(caller.runtime, request.app.state.live, branch, asked_position(request))


def asked_position(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """Return the place that a client wants to follow from; an empty one is none."""
    return connection.headers.get("last-event-id") or connection.query_params.get("after") or None


class LiveFeed(Response[None]):
    """A response that follows a branch until the client leaves or the server does."""

    def __init__(self, runtime: Runtime, settings: LiveSettings, branch: Branch, asked: str | None) -> None:
        super().__init__(None)
        self._runtime = runtime
        self._settings = settings
        self._branch = branch
        self._asked = asked
        self._frames = ControlFrames(runtime, branch)

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        """Return the ASGI application that streams."""
        return self._stream

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        runtime, branch = self._runtime, self._branch
        follower = Follower(runtime.rings, runtime.log, branch.key, branch.epoch)
        try:
            head = await follower.open()
            if head is None:
                raise BranchMissing(branch.scope.session_id, branch.scope.branch_id)
            reads = runtime.tenant(branch.scope.tenant)
            follower.cursor, reset = await find_start(reads, branch, head, self._asked)
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _send(send, self._opening(follower.position, reset))
            await self._follow(follower, receive, send, _write_of(scope))
        finally:
            await follower.aclose()

    async def _follow(self, follower: Follower, receive: Receive, send: Send, write: Write | None) -> None:
        async with asyncio.TaskGroup() as tasks:
            # The telling has a task of its own, not the watching: each wake would go through all layers above it else.
            tasks.create_task(self._tell(follower, send, write), name="live feed")
            await _disconnected(receive)
            follower.leave()

    async def _tell(self, follower: Follower, send: Send, write: Write | None) -> None:
        try:
            await self._pump(follower, send, write or (lambda piece: _send(send, piece)))
        except Exception:  # noqa: BLE001 - the outermost loop of a stream: what breaks it becomes its last events
            _log.exception("live feed broke", branch=self._branch.scope.branch_id)
            await self._apologise(send)

    async def _pump(self, follower: Follower, send: Send, write: Write) -> None:
        loop = asyncio.get_running_loop()
        every = self._settings.heartbeat_seconds
        beat = loop.call_later(every, follower.beat)
        try:
            while True:
                piece = follower.ready() or await follower.next()
                if isinstance(piece, bytes):
                    full = write(piece)
                    if full is not None:
                        await full
                elif piece is Pause.BEAT:
                    await _send(send, sse.heartbeat(follower.position))
                    beat = loop.call_later(every, follower.beat)
                elif piece is Pause.CLOSING:
                    await self._close(send, self._runtime.rings.closing or CloseReason.ERROR)
                    return
                elif piece is Pause.DELETED:
                    await self._close(send, CloseReason.DELETED)
                    return
                else:
                    return
        finally:
            beat.cancel()

    def _opening(self, place: Position, reset: ResetReason | None) -> bytes:
        opening = sse.opening(place, RETRY_MS)
        if reset is None:
            return opening
        return opening + sse.frame(place, self._frames.reset(reset, self._asked, place))

    async def _apologise(self, send: Send) -> None:
        await _send(send, sse.unplaced(self._frames.broken()))
        await self._close(send, CloseReason.ERROR)

    async def _close(self, send: Send, reason: CloseReason) -> None:
        retry_ms = None if reason is CloseReason.DELETED else self._settings.jitter_ms()
        await _send(send, sse.unplaced(self._frames.closing(reason, retry_ms), retry_ms))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _write_of(scope: Scope) -> Write | None:
    # ASGI's types have room for settings there, and not for a function.
    extensions: dict[str, Any] = scope.get("extensions") or {}
    write: Write | None = extensions.get(CHUNKS)
    return write


async def _disconnected(receive: Receive) -> None:
    # Sending to a client that has left succeeds for ever; only receiving tells. It tells of our own end as well.
    while (await receive())["type"] != "http.disconnect":
        pass
