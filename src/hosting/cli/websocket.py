"""WebSocket connections, as we ship them: uvicorn's `websockets` implementation with what it lacks.

Of uvicorn's two it is the one that reads no further while its peer takes nothing: pings whose pongs nobody read cost
it no memory, and `websockets-sansio` one byte for each of theirs. It was also the better one at RFC 6455.
uvicorn means to drop it, so pyproject.toml says which uvicorn this stands on; the module is named here directly, for
the word `websockets` in uvicorn's settings is to mean the other one then.
"""

import asyncio
import math
import warnings
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

from uvicorn.config import UvicornDeprecationWarning
from uvicorn.protocols.utils import ClientDisconnected
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from hosting.api.problems import INTERNAL_ERROR
from hosting.api.socket import EVENTS, SlowReader
from hosting.cli.http_refusal import Refused
from hosting.cli.slow_reader import HURRY_SECONDS, is_given_up, tell_of_slow

with warnings.catch_warnings():
    # Said at every start, to people who cannot act on it.
    warnings.filterwarnings("ignore", "The `websockets` implementation is deprecated", UvicornDeprecationWarning)
    warnings.filterwarnings("ignore", "websockets.legacy is deprecated", DeprecationWarning)
    from uvicorn.protocols.websockets.websockets_impl import WebSocketProtocol
    from websockets.legacy import framing
    from websockets.legacy.server import WebSocketServerProtocol

_FRAMES_IN_ONE_GO: Final = 64
_CLOSE_SECONDS: Final = 2
_FAULT: Final = Refused("internal-error", INTERNAL_ERROR)
_NO_PONG: Final = "keepalive ping timeout"


class ShippedWebSocket(WebSocketProtocol):
    """Lets others have their turn while frames pour in, and gives up a peer that takes nothing for too long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A peer that does not answer a close is waited for up to four times this, which must be less than a stop takes.
        self.close_timeout = _CLOSE_SECONDS
        self._frames = 0
        self._draining = asyncio.Lock()
        self._patience_seconds: float = self.ping_timeout or HURRY_SECONDS
        self._limit: asyncio.Timeout | None = None
        self._sending = 0
        self._is_slow = self._is_told = False
        self._on_lost: Callable[[], None] | None = None
        # What the base keeps is bound to this very object, which would then wait for the collector's rarest pass.
        del self.ws_handler

    def begin_with(
        self, path: str, headers: Headers, on_lost: Callable[[], None] | None, patience_seconds: float
    ) -> None:
        """Take over a connection on which this handshake has been read; `on_lost` is called when it is lost.

        A peer may take nothing for `patience_seconds`.
        """
        self._patience_seconds = patience_seconds
        self.path = path
        self.request_headers = headers
        self._on_lost = on_lost

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the connection is lost."""
        if is_given_up(exc) and not self._is_slow:
            self._find_slow()
        super().connection_lost(exc)
        if self._on_lost is not None:
            self._on_lost()

    async def read_http_request(self) -> tuple[str, Headers]:
        """Return the handshake that was read before."""
        return self.path, self.request_headers

    def write_http_response(self, status: HTTPStatus, headers: Headers, body: bytes | None = None) -> None:
        """Answer the handshake; what the library itself refuses becomes a problem document."""
        if headers.get("Content-Type") != "text/plain":
            super().write_http_response(status, headers, body)
            return
        self._refuse(Refused("invalid-request", _sentence(body)) if status.value < 500 else _FAULT)

    def send_500_response(self) -> None:
        """Answer a handshake that the application has not answered, since it failed or the server stops."""
        self._refuse(Refused("not-ready", "The server is being stopped.") if self.ws_server.closing else _FAULT)
        # The library waits for it before it ends, and cancels nothing.
        self.handshake_started_event.set()

    def _refuse(self, refused: Refused) -> None:
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in self.extra_headers]
        self.transport.write(refused.answer(self.path.encode("ascii"), headers))

    async def ws_handler(self, protocol: WebSocketServerProtocol, path: str = "") -> Any:
        """Wait for the end; the library warns at each connection of a handler that must be given a path."""
        await super().ws_handler(protocol, path)

    async def read_frame(self, max_size: int | None) -> framing.Frame:
        """Read a frame, and now and then let others have their turn.

        What is buffered is read without waiting: a flood of pings would stop everything else for most of a second.
        """
        self._frames += 1
        if self._frames % _FRAMES_IN_ONE_GO == 0:
            await asyncio.sleep(0)
        return await super().read_frame(max_size)

    async def run_asgi(self) -> None:
        """Tell the application that it may send many events at once."""
        self.scope["extensions"] = {**(self.scope["extensions"] or {}), EVENTS: {}}
        try:
            await super().run_asgi()
        finally:
            # Its traceback holds this object, and this object holds it.
            self.transfer_data_exc = None

    async def asgi_send(self, message: Any) -> None:
        """Send what the application sends: many events at once, or what the base knows.

        Raises:
            SlowReader: once, when the peer takes nothing for too long.
        """
        self._sending += 1
        try:
            if message["type"] == EVENTS:
                await self._send_events(message["events"])
            else:
                await super().asgi_send(message)
        finally:
            self._sending -= 1
        if self._is_slow and not self._is_told:
            self._is_told = True
            raise SlowReader

    async def _send_events(self, events: Sequence[bytes]) -> None:
        try:
            await self.ensure_open()
            # One write: one for each would cost three times as much, and leave as a packet of its own.
            self.transport.write(b"".join([Frame(Opcode.TEXT, event).serialize(mask=False) for event in events]))
            await self.drain()
        except ConnectionClosed as error:
            raise ClientDisconnected from error

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was written.

        When one takes nothing for too long, the application is told and may say a last word; if that is not taken
        either, or the application says nothing just then, the peer is cut.
        The library lets only one wait at a time, and fails the connection when a ping or pong waits beside an event.
        """
        async with self._draining:
            if not self._paused:
                await super().drain()
            elif not self._has_last_word() and not await self._is_taken():
                is_second_time = self._is_slow
                if not is_second_time:
                    self._find_slow()
                if is_second_time or not self._sending:
                    await self._cut()

    def _has_last_word(self) -> bool:
        """Whether the application is yet to hear that the peer is slow, by what it is sending."""
        return self._is_slow and not self._is_told and self._sending > 0

    async def _is_taken(self) -> bool:
        try:
            async with asyncio.timeout(HURRY_SECONDS if self._is_slow else self._patience_seconds) as self._limit:
                await super().drain()
        except TimeoutError:
            return False
        finally:
            self._limit = None
        return True

    def _find_slow(self) -> None:
        self._is_slow = True
        tell_of_slow(self.path, self.client)

    async def _cut(self) -> None:
        # Not closed: what it has not taken stands before a farewell as well.
        self.transport.abort()
        await self.wait_closed()
        raise self.connection_closed_exc()

    def fail_connection(self, code: int = 1006, reason: str = "") -> None:
        """Cut a peer that answers no ping because it reads nothing; the base would wait for it to take the close."""
        if reason == _NO_PONG and self._paused:
            if not self._is_slow:
                self._find_slow()
            self.transport.abort()
            code, reason = 1006, ""
        super().fail_connection(code, reason)

    def hurry(self) -> None:
        """Wait less from now on for a peer that takes nothing, or does not answer a close: the server stops."""
        self.close_timeout = HURRY_SECONDS / 2
        self._patience_seconds = min(self._patience_seconds, HURRY_SECONDS)
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(min(self._limit.when() or math.inf, self.loop.time() + self._patience_seconds))

    def shutdown(self) -> None:
        """Leave an open connection to the application, which has been told and takes its leave with 1001.

        The base would close it at once, with 1012 and in the middle of what is being sent.
        """
        if not self.handshake_completed_event.is_set():
            super().shutdown()


def _sentence(body: bytes | None) -> str:
    """Return what the library has to say, as a sentence."""
    said = (body or b"").decode("utf-8", "replace").strip().removeprefix("Failed to open a WebSocket connection: ")
    return f"This is no WebSocket handshake: {said.rstrip('.')}."
