"""One look at how much there is to do, before anybody is looked up and anything of a request is read."""

from collections import deque
from collections.abc import Awaitable, Collection
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

from hosting.api.bodies import MAX_INPUT
from hosting.api.capacity import Capacity
from hosting.api.refusal import refuse, refuse_read
from hosting.api.shares import Shares
from hosting.domain.errors import BranchlineError
from hosting.domain.overload_errors import refuse_full
from hosting.domain.quota import Quota
from hosting.domain.share import SHARE
from hosting.domain.turns import Turn

Received = HTTPReceiveMessage | WebSocketReceiveMessage

_SMALL_BODY: Final = 64 << 10
"""What the server has read of a body before anybody asks for it."""
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BEGINS: Final = frozenset(
    {"http.response.start", "websocket.accept", "websocket.close", "websocket.http.response.start"}
)


class AdmissionGuard:
    """Stands before an application: a request waits for its turn, or is refused when too many wait already.

    A turn lasts until the answer begins, and not while more of a body has yet to come: neither a live feed nor a slow
    client takes others' turns. `free` are paths that never wait: signs of life are asked for when there is much to do.
    """

    def __init__(self, app: ASGIApp, capacity: Capacity, shares: Shares, free: Collection[str]) -> None:
        self._app = app
        self._capacity = capacity
        self._shares = shares
        self._free = free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on when it is this request's turn, or refuse."""
        if scope["path"] in self._free:
            await self._app(scope, receive, send)
            return
        share = self._shares.share(scope)
        SHARE.set(share)
        body = _Body(self._capacity.body_bytes, share, receive, Turn(self._capacity.requests, share))
        try:
            try:
                self._check(scope, share)
                await body.begin(scope)
                await body.turn.take()
            except BranchlineError as error:
                await body.refuse(scope, send, error)
            else:
                await self._app(scope, body.receive, _ending(body.turn, send))
        finally:
            body.turn.end()
            body.forget()

    def _check(self, scope: Scope, share: str) -> None:
        """Make sure that it is worth while to wait.

        How many runs there are says nothing yet: an input may be for a worker, wait behind a run that another node
        has, interrupt one, or be answered already.
        """
        self._capacity.requests.check(share)
        if scope["type"] == ScopeType.HTTP and scope["method"] not in _READS:
            refuse_full(self._capacity.writes.full(share))


class _Body:
    """What comes from the client, counted while it is kept."""

    def __init__(self, kept: Quota[str], share: str, receive: Receive, turn: Turn[str]) -> None:
        self.turn = turn
        self._kept = kept
        self._share = share
        self._receive = receive
        self._counted = 0
        self._room = MAX_INPUT
        self._read: deque[Received] = deque()
        self._is_read = False

    async def begin(self, scope: Scope) -> None:
        """Make room for what is to come; a small body is waited for, so that its turn is not interrupted.

        Raises:
            TooManyRequests, Overloaded: there is no room.
        """
        length, is_chunked = _announced(scope)
        if not length and not is_chunked:
            self._is_read = True
            return
        if length > _SMALL_BODY:
            # What is not kept, since it is written to the disk or too large, takes no more room than the largest body.
            self._count(min(length, MAX_INPUT))
        if length:
            self._room = 0
        await self._read_small(length)

    async def refuse(self, scope: Scope, send: Send, error: BranchlineError) -> None:
        """Answer that the request has no chance.

        What of it is small is read first, and the connection can be used again: to open another one costs both sides
        more than all the rest.
        """
        self._room = 0
        if scope["type"] == ScopeType.HTTP:
            length, is_chunked = _announced(scope)
            await self._read_small(length)
            if self._is_read or not (length or is_chunked):
                await refuse_read(scope, send, error)
                return
        await refuse(scope, self._receive, send, error)

    async def _read_small(self, length: int) -> None:
        while 0 < length <= _SMALL_BODY and not self._is_read:
            self._note(message := await self._receive())
            self._read.append(message)

    async def receive(self) -> Received:
        """Return what comes next; others have their turn until it is there.

        Raises:
            TooManyRequests, Overloaded: a body of unknown length has become too large for what room there is.
        """
        if self._read:
            return self._read.popleft()
        if self._is_read:
            return await self._receive()
        self.turn.pause()
        self._note(message := await self._receive())
        await self.turn.take()
        return message

    def forget(self) -> None:
        """Give the room back."""
        self._kept.give_back(self._share, self._counted)
        self._counted = 0

    def _note(self, message: Received) -> None:
        self._is_read = message["type"] != "http.request" or not message.get("more_body", False)
        if message["type"] == "http.request" and self._room:
            self._count(min(len(message["body"]), self._room))

    def _count(self, size: int) -> None:
        try:
            refuse_full(self._kept.take(self._share, size))
        except BranchlineError:
            # Said once: nothing of it is kept, and what still comes is read to be forgotten.
            self._room = 0
            self.forget()
            raise
        self._counted += size
        self._room -= size


def _announced(scope: Scope) -> tuple[int, bool]:
    """Return how long a body is said to be, and whether that is not said."""
    length, is_chunked = 0, False
    if scope["type"] == ScopeType.HTTP:
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = int(value) if value.isdigit() else 0
            elif name == b"transfer-encoding":
                is_chunked = True
    return length, is_chunked


def _ending(turn: Turn[str], send: Send) -> Send:
    # No coroutine of its own: each piece of a live feed passes here.
    def send_and_end(message: Message) -> Awaitable[None]:
        if message["type"] in _BEGINS:
            turn.end()
        return send(message)

    return send_and_end
