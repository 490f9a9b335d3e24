"""A branch's WebSocket: inputs, interrupts and answers go in, the log's bytes come out.

It has the only table of close codes.
"""

import asyncio
import sys
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import Any, Final, TypeVar

import structlog
from litestar import WebSocket, get, websocket
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import Receive, Send

from events import sse
from events.control import CloseReason, ResetReason
from events.ids import AgentId, BranchId, SessionId
from events.inputs import Input
from events.interactions import Response as Answer
from events.interruption import InterruptionRequest
from hosting.api.access import can_end, check_access, check_again, until_ended
from hosting.api.bodies import decode_envelope
from hosting.api.caller import Caller
from hosting.api.control_frames import ControlFrames
from hosting.api.handshake import refuse_handshake
from hosting.api.live import FOR_GOOD, LiveSettings, asked_position
from hosting.api.openapi import answers
from hosting.api.problems import ApiError
from hosting.domain import errors, overload_errors
from hosting.domain.admission import Unauthenticated
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchlineError, BranchMissing, ResponseRefused
from hosting.domain.share import SHARE
from hosting.domain.turns import Turn
from hosting.runtime.follow import Follower, Pause
from hosting.runtime.interrupt import interrupt_run
from hosting.runtime.respond import respond
from hosting.runtime.start import find_start
from hosting.runtime.submit import submit_input

_log = structlog.get_logger("branchline.socket")

T = TypeVar("T")

_PATH: Final = "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}/ws"
EVENTS: Final = "branchline.websocket.events"
"""An extension of the server's, and the type of the message that it takes: `events`, bytes, as one text frame each."""
_EVENTS_IN_ONE_GO: Final = 64
# A follower there is behind nothing, so all that it hears is that the server stops.
_BEYOND_EVERY_HEAD: Final = sys.maxsize


class SlowReader(Exception):
    """The server's word that the peer takes nothing; what is sent next may be the last that it hears."""


class CloseCode(IntEnum):
    """How we close a WebSocket (RFC 6455, section 7.4.1).

    The server answers some by itself before a frame comes here: 1002 for what is no WebSocket frame, compressed ones
    included, 1007 for text that is not UTF-8, 1009 for a message that is too large or in too many pieces.
    """

    GOING_AWAY = 1001
    UNSUPPORTED_DATA = 1003
    INVALID = 1007
    CONFLICT = 1008
    TOO_LARGE = 1009
    FAULT = 1011
    SLOW = 1013


@dataclass(frozen=True, slots=True)
class Ending:
    """Why we close; `stream` is what STREAM_CLOSING says, where there is one.

    A client learns the cause of 1008, 1009 and 1011 from the reason, a problem code.
    """

    code: CloseCode
    reason: str
    stream: CloseReason | None = None


CODES: Final[Mapping[type[Exception], CloseCode]] = {
    errors.NotFound: CloseCode.INVALID,
    errors.Invalid: CloseCode.INVALID,
    errors.Conflict: CloseCode.CONFLICT,
    errors.QueueFull: CloseCode.CONFLICT,
    overload_errors.TooMany: CloseCode.CONFLICT,
    overload_errors.Overloaded: CloseCode.CONFLICT,
    ApiError: CloseCode.TOO_LARGE,
}
"""What a frame is answered with that cannot be carried out; all else is a FAULT."""

_GONE: Final = "Session or branch not found"
_INVALID: Final = "Invalid agent input or response event envelope"
_BINARY: Final = Ending(CloseCode.UNSUPPORTED_DATA, "Only text frames hold envelopes")
_DELETED: Final = Ending(CloseCode.INVALID, _GONE, CloseReason.DELETED)
_EXPIRED: Final = Ending(CloseCode.CONFLICT, Unauthenticated.code, CloseReason.EXPIRED)
_SLOW: Final = Ending(CloseCode.SLOW, "slow", CloseReason.SLOW)
_ON_STOP: Final = {
    CloseReason.DRAIN: Ending(CloseCode.GOING_AWAY, "drain", CloseReason.DRAIN),
    CloseReason.ERROR: Ending(CloseCode.FAULT, "internal-error", CloseReason.ERROR),
}


def ending_of(error: Exception) -> Ending:
    """Return how a connection ends over an error."""
    code = next((CODES[base] for base in type(error).__mro__ if base in CODES), CloseCode.FAULT)
    if isinstance(error, SlowReader):
        return _SLOW
    if isinstance(error, Unauthenticated):
        return _EXPIRED
    if isinstance(error, errors.ServerLeaving):
        return _ON_STOP[CloseReason.DRAIN]
    if isinstance(error, errors.SessionMissing | errors.BranchMissing):
        return _DELETED
    if code is CloseCode.INVALID:
        return Ending(code, _GONE if isinstance(error, errors.NotFound) else _INVALID)
    named = error.code if isinstance(error, ApiError | BranchlineError) else BranchlineError.code
    return Ending(code, named, CloseReason.ERROR if code is CloseCode.FAULT else None)


@get(
    _PATH,
    status_code=101,
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "invalid-request",
        "too-many-streams",
        "storage-unavailable",
    ),
)
async def get_socket(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> None:
    """Talk with a branch by WebSocket; see docs/reference/wire.md. A request that is no handshake is refused."""
    await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
    raise ApiError("invalid-request", "This is a WebSocket; ask for it with the header Upgrade: websocket.")


class BranchSocket(WebSocket[Any, Any, Any]):
    """Passes messages on as they are.

    The base ties itself to what it wraps, and each connection would wait for the collector's rarest pass.
    """

    def receive_wrapper(self, receive: Receive) -> Receive:
        """Return what receives."""
        return receive

    def send_wrapper(self, send: Send) -> Send:
        """Return what sends."""
        return send


@websocket(_PATH, websocket_class=BranchSocket)
async def open_socket(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    socket: WebSocket[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> None:
    """Talk with a branch: from the position in Last-Event-ID or `after`, else from the first envelope that comes."""
    async with AsyncExitStack() as stack:
        try:
            check_access(socket.scope)
            branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
            runtime = caller.runtime
            follower = Follower(runtime.rings, runtime.log, branch.key, branch.epoch)
            await stack.enter_async_context(aclosing(follower))
            conversation = Conversation(caller, branch, AgentId(agent_id), follower, socket)
            await conversation.start(asked_position(socket))
        except Exception as error:  # noqa: BLE001 - what goes wrong before the handshake is answered is its answer
            await _refuse(socket, error)
            return
        await socket.accept()
        await conversation.hold()


class Conversation:
    """One connection: what the client sends is carried out frame by frame, what happens on the branch is told."""

    def __init__(
        self,
        caller: Caller,
        branch: Branch,
        agent_id: AgentId,
        follower: Follower,
        socket: WebSocket[Any, Any, Any],
    ) -> None:
        self._caller = caller
        self._runtime = caller.runtime
        self._branch = branch
        self._agent_id = agent_id
        self._follower = follower
        self._socket = socket
        self._settings: LiveSettings = socket.app.state.live
        self._frames = ControlFrames(caller.runtime, branch)
        self._at_once = EVENTS in (socket.scope.get("extensions") or {})
        self._opening: bytes | None = None
        self._follows = False
        self._gone = False

    async def start(self, asked: str | None) -> None:
        """Find the place that was asked for; without one, only get ready.

        Raises:
            BranchMissing, StorageUnavailable: there is nothing to follow.
        """
        follower = self._follower
        head = self._existing(await follower.open())
        follower.cursor = _BEYOND_EVERY_HEAD
        if asked is not None:
            follower.cursor, reset = await find_start(self._caller.reads, self._branch, head, asked)
            place, trimmed = follower.position, self._branch.trimmed
            self._opening = None if reset is None else self._frames.reset(reset, asked, place, trimmed=trimmed)
            self._follows = True

    async def hold(self) -> None:
        """Talk until one side ends it, and close; a frame that is being carried out is carried out to its end."""
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._settled(self._listen(tasks)), name="socket listens")
            telling = tasks.create_task(self._settled(self._tell()), name="socket tells")
            sides = [listening, telling]
            if can_end(self._socket.scope):
                sides.append(tasks.create_task(self._check(), name="socket is checked"))
            done, unfinished = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            for side in unfinished:
                side.cancel()
                # What we close with comes behind all else.
                await asyncio.wait((side,))
            ending = next(side for side in sides if side in done).result()
            if ending is not None:
                await self._settled(self._close(ending))

    async def _settled(self, work: Awaitable[T]) -> T | Ending | None:
        """Return what comes of some work, or how the connection is to end over it; nothing raises."""
        try:
            return await work
        except _PeerGone:
            return None
        except Exception as error:  # noqa: BLE001 - the outermost loop of a connection: what breaks it is how it ends
            ending = ending_of(error)
            if ending.code is CloseCode.FAULT:
                _log.exception("socket broke", branch=self._branch.scope.branch_id)
            return ending

    async def _listen(self, tasks: asyncio.TaskGroup) -> Ending | None:
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            text = message.get("text")
            if text is None:
                return _BINARY
            await check_again(self._socket.scope)
            frame = await decode_envelope(text.encode(), self._runtime.serializer)
            await self._follow()
            # The client may leave meanwhile: an input that is stored must yet be handed to who runs it.
            errand = tasks.create_task(self._settled(self._in_turn(frame)), name="socket carries out")
            outcome = await asyncio.shield(errand)
            if isinstance(outcome, Ending):
                return outcome
            if outcome is not None:
                await self._send(outcome)
        self._gone = True
        return None

    async def _check(self) -> Ending:
        await until_ended(self._socket.scope, self._settings.heartbeat_seconds)
        return _EXPIRED

    async def _follow(self) -> None:
        """Begin to tell, if this has not begun; what is done after this is told."""
        if self._follows:
            return
        head = self._existing(await self._runtime.log.head(self._branch.key))
        self._follower.cursor, _ = await find_start(self._caller.reads, self._branch, head, None)
        self._follower.beat()
        self._follows = True

    async def _in_turn(self, frame: Input | InterruptionRequest | Answer) -> bytes | None:
        """Do what a frame asks for when it is its turn, as it is with requests."""
        turn = Turn(self._socket.app.state.capacity.requests, SHARE.get())
        try:
            await turn.take()
            return await self._carry_out(frame)
        finally:
            turn.end()

    async def _carry_out(self, frame: Input | InterruptionRequest | Answer) -> bytes | None:
        """Do what a frame asks for, and return what the client is to be told besides the events that come of it."""
        if isinstance(frame, Answer):
            return await self._answer(frame)
        if isinstance(frame, InterruptionRequest):
            await interrupt_run(self._runtime, self._branch, frame)
        else:
            await submit_input(self._runtime, self._branch, self._agent_id, frame)
        return None

    async def _answer(self, response: Answer) -> bytes | None:
        try:
            await respond(self._runtime, self._branch, response)
        except ResponseRefused as refused:
            return self._frames.rejected(response, refused)
        return None

    async def _tell(self) -> Ending | None:
        follower = self._follower
        if self._opening is not None:
            await self._send(self._opening)
        while True:
            piece = follower.ready() or await follower.next()
            if isinstance(piece, bytes):
                await self._send_events(piece)
            elif piece is Pause.TRIMMED:
                await self._send(
                    self._frames.reset(ResetReason.TRIMMED, None, follower.position, trimmed=follower.trimmed)
                )
            elif piece is Pause.CLOSING:
                return _ON_STOP[self._runtime.rings.closing or CloseReason.ERROR]
            elif piece is Pause.DELETED:
                return _DELETED
            elif piece is Pause.GONE:
                return None

    async def _send_events(self, framed: bytes) -> None:
        events = sse.each_data(framed)
        while some := list(islice(events, _EVENTS_IN_ONE_GO)):
            if self._at_once:
                await self._pass({"type": EVENTS, "events": some})
            else:
                for event in some:
                    await self._send(event)
            if len(some) == _EVENTS_IN_ONE_GO:
                # A peer that takes all is sent to without a wait, and a long replay would stop everybody else.
                await asyncio.sleep(0)

    async def _close(self, ending: Ending) -> None:
        if ending.stream is CloseReason.ERROR and self._runtime.rings.closing is None:
            await self._send(self._frames.broken())
        if ending.stream is not None:
            retry_ms = None if ending.stream in FOR_GOOD else self._settings.jitter_ms()
            await self._send(self._frames.closing(ending.stream, retry_ms))
        await self._pass({"type": "websocket.close", "code": ending.code, "reason": ending.reason})

    async def _send(self, event: bytes) -> None:
        await self._pass({"type": "websocket.send", "text": event.decode(), "bytes": None})

    async def _pass(self, message: Any) -> None:
        """Hand a message to the server, which is not told of a peer that we have been told is gone."""
        if self._gone:
            raise _PeerGone
        try:
            await self._socket.send(message)
        except OSError as error:
            raise _PeerGone from error

    def _existing(self, head: int | None) -> int:
        if head is None:
            raise BranchMissing(self._branch.scope.session_id, self._branch.scope.branch_id)
        return head


class _PeerGone(Exception):
    """Nobody is there any more."""


async def _refuse(socket: WebSocket[Any, Any, Any], error: Exception) -> None:
    await socket.receive()
    code = error.code if isinstance(error, BranchlineError) else BranchlineError.code
    detail = str(error)
    if code == BranchlineError.code:
        _log.error("handshake failed", path=socket.scope["path"], exc_info=error)
        detail = "Something went wrong on the server; its log says more."
    await refuse_handshake(socket.scope, socket.send, code, detail)
