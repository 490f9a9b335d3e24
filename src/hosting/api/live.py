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
from hosting.api.access import can_end, until_ended
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

FOR_GOOD: Final = frozenset({CloseReason.DELETED, CloseReason.EXPIRED})
"""Why a stream ends that nobody can take up again as it was."""

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
    responses=answers(
        "agent-not-found", "session-not-found", "branch-not-found", "too-many-streams", "storage-unavailable"
    ),
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
    """A response that follows a branch until the client leaves or the server does.

    What follows it in other words overrides `start`, `opening`, `skipped`, `translated`, `is_over`, `heartbeat`,
    `apology` and `closing`.
    """

    is_over = False
    """Whether nothing more is to come on this stream, whatever comes on the branch."""

    def __init__(self, runtime: Runtime, settings: LiveSettings, branch: Branch, asked: str | None) -> None:
        super().__init__(None)
        self.branch = branch
        self._runtime = runtime
        self._settings = settings
        self._asked = asked
        self._frames = ControlFrames(runtime, branch)
        self._has_expired = False

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        """Return the ASGI application that streams."""
        return self._stream

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        runtime, branch = self._runtime, self.branch
        follower = Follower(runtime.rings, runtime.log, branch.key, branch.epoch)
        try:
            head = await follower.open()
            if head is None:
                raise BranchMissing(branch.scope.session_id, branch.scope.branch_id)
            follower.cursor, reset = await self.start(head)
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _send(send, self.opening(follower.position, reset))
            await self._follow(follower, scope, receive, send)
        finally:
            await follower.aclose()

    async def _follow(self, follower: Follower, scope: Scope, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as tasks:
            # The telling has a task of its own, not the watching: each wake would go through all layers above it else.
            tasks.create_task(self._tell(follower, send, _write_of(scope)), name="live feed")
            checking = tasks.create_task(self._check(follower, scope), name="live feed is checked")
            await _disconnected(receive)
            checking.cancel()
            follower.leave()

    async def _check(self, follower: Follower, scope: Scope) -> None:
        """Leave when who follows may follow no more: a key can be revoked, and a token grows too old."""
        if can_end(scope):
            await until_ended(scope, self._settings.heartbeat_seconds)
            self._has_expired = True
            follower.leave()

    async def _tell(self, follower: Follower, send: Send, write: Write | None) -> None:
        try:
            await self._pump(follower, send, write or (lambda piece: _send(send, piece)))
        except Exception:  # noqa: BLE001 - the outermost loop of a stream: what breaks it becomes its last events
            _log.exception("live feed broke", branch=self.branch.scope.branch_id)
            await _send(send, self.apology())
            await self._close(send, CloseReason.ERROR)

    async def _pump(self, follower: Follower, send: Send, write: Write) -> None:
        loop = asyncio.get_running_loop()
        every = self._settings.heartbeat_seconds
        beat = loop.call_later(every, follower.beat)
        try:
            while not self.is_over:
                piece = follower.ready() or await follower.next()
                if isinstance(piece, bytes):
                    # An empty one would end the body.
                    full = write(told) if (told := self.translated(piece)) else None
                    if full is not None:
                        await full
                elif piece is Pause.BEAT:
                    await _send(send, self.heartbeat(follower.position))
                    beat = loop.call_later(every, follower.beat)
                elif piece is Pause.TRIMMED:
                    if told := self.skipped(follower):
                        await _send(send, told)
                elif piece is Pause.CLOSING:
                    await self._close(send, self._runtime.rings.closing or CloseReason.ERROR)
                    return
                elif piece is Pause.DELETED:
                    await self._close(send, CloseReason.DELETED)
                    return
                else:
                    if self._has_expired:
                        await self._close(send, CloseReason.EXPIRED)
                    return
            await _end(send)
        finally:
            beat.cancel()

    async def start(self, head: int) -> tuple[int, ResetReason | None]:
        """Return where to begin; see `find_start`."""
        return await find_start(self._runtime.tenant(self.branch.scope.tenant), self.branch, head, self._asked)

    def opening(self, place: Position, reset: ResetReason | None) -> bytes:
        """Return what the stream opens with."""
        opening = sse.opening(place, RETRY_MS)
        if reset is None:
            return opening
        told = self._frames.reset(reset, self._asked, place, trimmed=self.branch.trimmed)
        return opening + sse.frame(place, told)

    def skipped(self, follower: Follower) -> bytes:
        """Return what is said when the log has lost events that this stream had not come to, and it goes on behind."""
        place = follower.position
        return sse.frame(place, self._frames.reset(ResetReason.TRIMMED, None, place, trimmed=follower.trimmed))

    def translated(self, piece: bytes) -> bytes:
        """Return framed events as this stream's clients want them; nothing, if they do not want them."""
        return piece

    def heartbeat(self, place: Position) -> bytes:
        """Return the sign of life of a stream that has come so far."""
        return sse.heartbeat(place)

    def apology(self) -> bytes:
        """Return what is said when the stream breaks; `closing` follows."""
        return sse.unplaced(self._frames.broken())

    def closing(self, reason: CloseReason, retry_ms: int | None) -> bytes:
        """Return the last words of a stream that the server ends."""
        return sse.unplaced(self._frames.closing(reason, retry_ms), retry_ms)

    async def _close(self, send: Send, reason: CloseReason) -> None:
        retry_ms = None if reason in FOR_GOOD else self._settings.jitter_ms()
        await _send(send, self.closing(reason, retry_ms))
        await _end(send)


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _write_of(scope: Scope) -> Write | None:
    # ASGI's types have room for settings there, and not for a function.
    extensions: dict[str, Any] = scope.get("extensions") or {}
    write: Write | None = extensions.get(CHUNKS)
    return write


async def _disconnected(receive: Receive) -> None:
    # Sending to a client that has left succeeds for ever; only receiving tells. It tells of our own end as well.
    while (await receive())["type"] != "http.disconnect":
        pass
