"""uvicorn, as we ship it."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from litestar import Litestar

from events.control import CloseReason
from hosting.api.handshake import HandshakeGuard
from hosting.bootstrap import server_of
from hosting.cli.websocket import ShippedWebSocket
from hosting.domain.errors import BranchlineError

_KEEP_ALIVE_SECONDS = 75
_GRACE_SECONDS = 10
_YOUNG_OBJECTS = 10_000
_WEBSOCKET_FRAME_BYTES = 1 << 20


class AddressRefused(BranchlineError):
    """The address cannot be listened on."""


class ShippedServer(uvicorn.Server):
    """Sends the live feeds away before it waits for connections to end, and says when it listens."""

    def __init__(self, config: uvicorn.Config, app: Litestar, on_listening: Callable[[int], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_listening = on_listening

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave; a second interrupt leaves at once."""
        # The base would raise the signal again after a clean stop, and the exit status would not be 0.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def startup(self, sockets: object = None) -> None:
        """Listen, then say where."""
        await super().startup()
        _calm_the_collector()
        if self.started and self.servers:
            self._on_listening(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: object = None) -> None:
        """Send the live feeds away, wait for what is under way, then end."""
        server = server_of(self._app)
        server.shut(CloseReason.DRAIN)
        await super().shutdown()
        if server.stragglers:
            # All is stored and closed. The loop would wait for these for ever, and they do not hear.
            sys.stderr.flush()
            os._exit(1 if server.failed else 0)


def check_address(host: str, port: int) -> None:
    """Make sure that an address can be listened on, before anything is opened for it.

    Raises:
        AddressRefused: it is taken, or no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As uvicorn does it, or a port whose last connections are still being closed would seem to be taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise AddressRefused(f"Nobody can listen on {host} port {port}: {error.strerror}.") from error


def shipped_server(app: Litestar, host: str, port: int, on_listening: Callable[[int], None]) -> ShippedServer:
    """Return a server with the settings that we ship."""
    # Proxies keep what is never quiet for long. A peer has two heartbeats' time to answer one.
    heartbeat = server_of(app).settings.heartbeat_seconds
    config = uvicorn.Config(
        HandshakeGuard(app),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws=ShippedWebSocket,
        ws_max_size=_WEBSOCKET_FRAME_BYTES,
        # Besides the frame that is carried out, one that waits and one on its way: 3 MiB of a peer's at most.
        ws_max_queue=1,
        ws_ping_interval=heartbeat,
        ws_ping_timeout=2 * heartbeat,
        # It would more than double what an idle connection costs, and let bombs in.
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        server_header=False,
    )
    return ShippedServer(config, app, on_listening)


def _calm_the_collector() -> None:
    # What is there now stays; a full collection over it would stop all streams for a tenth of a second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 50, 50)


def end_process(error: BaseException) -> None:
    """Ask this process to end: a part that must not end has ended."""
    os.kill(os.getpid(), signal.SIGTERM)
