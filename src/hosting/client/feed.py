"""Following a branch through cut connections."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import timedelta

import httpx
import msgspec

from events.control import CloseReason, StreamClosing, StreamReset
from events.serializer import Serializer
from events.sse import ServerSentEvent, SseParser
from hosting.client.address import BranchAddress
from hosting.client.answer import refusal, unreadable
from hosting.client.errors import FeedLost, PlaceLost
from hosting.client.patience import Patience
from hosting.client.received import Received

OnCut = Callable[[str], None]
"""Is told why a connection ended, each time before it is made again."""

_FIRST_PAUSE = timedelta(seconds=2)
_MOST_DOUBLED = 16
# A proxy answers so while its server starts, and a server while its store is away: both pass.
_PASSING = frozenset({502, 503, 504})


class Feed:
    """Follows a branch from a place on: every event of its log once, in order, whatever happens to the connection."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        serializer: Serializer,
        at: BranchAddress,
        patience: Patience,
        *,
        after: str | None = None,
        on_cut: OnCut | None = None,
    ) -> None:
        self._http = http
        self._serializer = serializer
        self._path = f"{at.path}/events/live"
        self._patience = patience
        self._on_cut = on_cut
        self._asked = _FIRST_PAUSE
        self._fruitless = 0
        self.position = after

    async def events(self) -> AsyncGenerator[Received]:
        """Yield events until the caller has enough; see Client.follow."""
        while True:
            self._fruitless += 1
            cause = "the server ended the stream"
            try:
                async with aclosing(self._connection()) as connection:
                    async for received in connection:
                        yield received
            except httpx.TransportError as error:
                cause = str(error) or type(error).__name__
            except _Passing as error:
                cause = str(error)
            if self._fruitless >= self._patience.attempts:
                raise FeedLost(self._fruitless, cause, self.position)
            if self._on_cut is not None:
                self._on_cut(cause)
            await asyncio.sleep(self._pause().total_seconds())

    async def _connection(self) -> AsyncGenerator[Received]:
        async with self._http.stream("GET", self._path, headers=self._headers(), timeout=self._timeout()) as response:
            await _check(response)
            parser = SseParser()
            async for piece in response.aiter_bytes():
                for block in parser.feed(piece):
                    if block.data is not None and (head := _head(block.data)).type == StreamClosing.wire_type:
                        self._heed(block)
                        if head.reason == CloseReason.DRAIN:
                            # It is there, and will be away: what has failed begins behind this.
                            self._fruitless = 0
                        return
                    received = self._take(block)
                    if received is not None:
                        yield received

    def _headers(self) -> dict[str, str]:
        place = {} if self.position is None else {"Last-Event-ID": self.position}
        return {"Accept": "text/event-stream", **place}

    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self._patience.silence.total_seconds(), connect=self._patience.connect.total_seconds())

    def _take(self, block: ServerSentEvent) -> Received | None:
        self._heed(block)
        if block.id is None:
            # Without a place it is no event of the log: the server tells why this connection is about to end.
            return None
        self.position = block.id
        if block.retry_ms is None:
            # An event or a sign of life, not the opening: a server that ends each stream at once is given up.
            self._fruitless = 0
        if block.data is None:
            return None
        if (head := _head(block.data)).type == StreamReset.wire_type:
            raise PlaceLost(head.reason or "unknown", block.id)
        return Received.read(self._serializer, block.id, block.data)

    def _heed(self, block: ServerSentEvent) -> None:
        if block.retry_ms is not None:
            self._asked = timedelta(milliseconds=block.retry_ms)

    def _pause(self) -> timedelta:
        """Return what the server has asked for, and after each attempt that brought nothing more, up to two seconds.

        Servers ask for less than that, each client for something else, so that not all come back at once; and a
        restart takes longer than all attempts together would.
        """
        grown: timedelta = self._asked * 2 ** min(max(0, self._fruitless - 1), _MOST_DOUBLED)
        return min(grown, max(self._asked, _FIRST_PAUSE), self._patience.pause)


class _Passing(Exception):
    """The server cannot be followed now, and will be."""


class _Head(msgspec.Struct, gc=False):
    """What control frames are told by; their reasons may be newer than this client."""

    type: str = ""
    reason: str | None = None


def _head(data: str) -> _Head:
    try:
        return msgspec.json.decode(data, type=_Head)
    except msgspec.DecodeError:
        return _Head()


async def _check(response: httpx.Response) -> None:
    if response.status_code in _PASSING:
        raise _Passing(f"the server answered with status {response.status_code}")
    if not response.is_success:
        await response.aread()
        raise refusal(response)
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        raise unreadable(response)
