"""WebSocket connections, as we ship them: uvicorn's `websockets` implementation with what it lacks.

Of uvicorn's two it is the one that reads no further while its peer takes nothing: pings whose pongs nobody read cost
it no memory, and `websockets-sansio` one byte for each of theirs. It was also the better one at RFC 6455.
uvicorn means to drop it, so pyproject.toml says which uvicorn this stands on; the module is named here directly, for
the word `websockets` in uvicorn's settings is to mean the other one then.
"""

import asyncio
import warnings
from collections.abc import Sequence
from typing import Any, Final

from uvicorn.config import UvicornDeprecationWarning
from uvicorn.protocols.utils import ClientDisconnected
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from hosting.api.socket import EVENTS

with warnings.catch_warnings():
    # Said at every start, to people who cannot act on it.
    warnings.filterwarnings("ignore", "The `websockets` implementation is deprecated", UvicornDeprecationWarning)
    warnings.filterwarnings("ignore", "websockets.legacy is deprecated", DeprecationWarning)
    from uvicorn.protocols.websockets.websockets_impl import WebSocketProtocol
    from websockets.legacy import framing
    from websockets.legacy.server import WebSocketServerProtocol

_FRAMES_IN_ONE_GO: Final = 64
_CLOSE_SECONDS: Final = 2


class ShippedWebSocket(WebSocketProtocol):
    """Lets others have their turn while frames pour in, and gives up a peer that takes nothing for too long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A peer that does not answer a close is waited for up to four times this, which must be less than a stop takes.
        self.close_timeout = _CLOSE_SECONDS
        self._frames = 0
        self._draining = asyncio.Lock()
        # What the base keeps is bound to this very object, which would then wait for the collector's rarest pass.
        del self.ws_handler

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
        """Send what the application sends: many events at once, or what the base knows."""
        if message["type"] == EVENTS:
            await self._send_events(message["events"])
        else:
            await super().asgi_send(message)

    async def _send_events(self, events: Sequence[bytes]) -> None:
        try:
            await self.ensure_open()
            # One write: one for each would cost three times as much, and leave as a packet of its own.
            self.transport.write(b"".join([Frame(Opcode.TEXT, event).serialize(mask=False) for event in events]))
            await self.drain()
        except ConnectionClosed as error:
            raise ClientDisconnected from error

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was written; one that does not is cut.

        The library lets only one wait at a time, and fails the connection when a ping or pong waits beside an event.
        """
        async with self._draining:
            if not self._paused:
                await super().drain()
                return
            try:
                async with asyncio.timeout(self.ping_timeout):
                    await super().drain()
            except TimeoutError:
                # Not closed: what it has not taken stands before a farewell as well.
                self.transport.abort()
                await self.wait_closed()
                raise self.connection_closed_exc() from None

    def shutdown(self) -> None:
        """Leave an open connection to the application, which has been told and takes its leave with 1001.

        The base would close it at once, with 1012 and in the middle of what is being sent.
        """
        if not self.handshake_completed_event.is_set():
            super().shutdown()
