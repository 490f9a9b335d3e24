"""uvicorn, as we ship it."""

import asyncio
import gc
import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from litestar import Litestar

from events.control import CloseReason
from hosting.api.handshake import HandshakeGuard
from hosting.bootstrap import server_of
from hosting.cli.http import shipped_http
from hosting.cli.slow_reader import HURRY_SECONDS, PatientHttp, bound_connections
from hosting.cli.websocket import ShippedWebSocket
from hosting.domain.errors import BranchlineError

_LOOK_SECONDS = 0.05
_LAST_SECONDS = 0.5
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
            for listening in self.servers:
                bound_connections(listening.sockets, server_of(self._app).settings.slow_reader_seconds)
            self._on_listening(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: object = None) -> None:
        """Send the streams away, give runs and requests their grace, then end, two seconds after that at the latest.

        Meanwhile the server listens: whoever asks must hear that it is not ready, and whoever is asked can answer.
        """
        server = server_of(self._app)
        leave_by = self._now() + server.settings.grace_seconds
        server.shut(CloseReason.DRAIN)
        for connection in self.server_state.connections:
            if isinstance(connection, PatientHttp | ShippedWebSocket):
                connection.hurry()
        async with asyncio.TaskGroup() as tasks:
            runs = tasks.create_task(server.finish_runs(), name="runs end")
            await self._until(lambda: runs.done() and not self.server_state.tasks, leave_by)
            await self._end_connections(min(self._now() + HURRY_SECONDS, leave_by + _LAST_SECONDS))
            await self._until(runs.done)
            if self.force_exit:
                runs.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(HURRY_SECONDS if self.force_exit else None):
                await self.lifespan.shutdown()
        if server.stragglers:
            # All is stored and closed. The loop would wait for these for ever, and they do not hear.
            sys.stderr.flush()
            os._exit(1 if server.failed else 0)

    async def _end_connections(self, leave_by: float) -> None:
        """Listen no more, let what was sent be taken, and cut who does not take it."""
        for listening in self.servers:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._until(self._is_left_alone, leave_by)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._until(self._is_left_alone, self._now() + _LAST_SECONDS)
        for task in self.server_state.tasks:
            # It waits for something else than its client, and has nobody to tell of it any more.
            task.cancel()

    async def _until(self, is_so: Callable[[], bool], by: float = math.inf) -> None:
        """Wait until something is so, the time has come, or a second interrupt does."""
        # uvicorn keeps sets, and tells nobody when they change.
        while not is_so() and self._now() < by and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_left_alone(self) -> bool:
        return not self.server_state.connections and not self.server_state.tasks

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


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
    settings = server_of(app).settings
    config = uvicorn.Config(
        HandshakeGuard(app),
        host=host,
        port=port,
        loop="uvloop",
        http=shipped_http(settings, server_of(app).capacity.connections),
        ws=ShippedWebSocket,
        ws_max_size=_WEBSOCKET_FRAME_BYTES,
        # Besides the frame that is carried out, one that waits and one on its way: 3 MiB of a peer's at most.
        ws_max_queue=1,
        ws_ping_interval=settings.heartbeat_seconds,
        ws_ping_timeout=2 * settings.heartbeat_seconds,
        # It would more than double what an idle connection costs, and let bombs in.
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
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
