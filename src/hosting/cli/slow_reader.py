"""Readers that take nothing: each is cut after a while, so that what it does not take is not kept for it.

What is written goes into the kernel's buffer, then into the transport's. The transport says when that is full, which
never happens to a reader of a quiet branch: what the peer's kernel has not taken for so long, the kernel gives up.
"""

import socket
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Protocol

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hosting.cli.http_deadline import Deadline
from hosting.settings import Settings

_log = structlog.get_logger("branchline.readers")

HURRY_SECONDS: Final = 2.0
"""How long a reader may take nothing once the server stops, or once it has been told that it is too slow."""

# The kernel doubles it for its own use. By itself it would grow to 4 MB for a client that never reads.
_SEND_BUFFER_BYTES: Final = 128 << 10
# It begins to count before the transport does, and a WebSocket that it cuts is told nothing.
_KERNEL_WAITS_LONGER_SECONDS: Final = 1.0
_SHOWN: Final = 300


class PatientHttp(HttpToolsProtocol):
    """Gives up a response whose reader takes nothing for too long."""

    settings: ClassVar[Settings]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hurries = False
        self._takes_nothing: Deadline | None = None

    def pause_writing(self) -> None:
        """Begin to wait for the reader."""
        super().pause_writing()
        if self._takes_nothing is None:
            self._takes_nothing = Deadline(self.loop, self._cut)
        self._takes_nothing.set(HURRY_SECONDS if self._hurries else self.settings.slow_reader_seconds)

    def resume_writing(self) -> None:
        """Know that the reader has taken most of what there was."""
        super().resume_writing()
        if self._takes_nothing is not None:
            self._takes_nothing.lift()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting; say so if it is the kernel that did not want to wait any longer."""
        if is_given_up(exc):
            self._tell()
        super().connection_lost(exc)
        if self._takes_nothing is not None:
            self._takes_nothing.end()

    def hurry(self) -> None:
        """Wait less from now on: the server stops."""
        self._hurries = True
        if self._takes_nothing is not None and self.flow.write_paused:
            self._takes_nothing.set(HURRY_SECONDS)

    def _cut(self) -> None:
        self._tell()
        # Not closed: what it has not taken would stand before the end for ever.
        self.transport.abort()

    def _tell(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            tell_of_slow(self.cycle.scope["path"], self.client)


class _Listening(Protocol):
    def setsockopt(self, level: int, name: int, value: int, /) -> object: ...


def bound_connections(listening: Iterable[_Listening], slow_reader_seconds: float) -> None:
    """Let the kernel keep little for the connections that will be accepted here, and not for ever."""
    for end in listening:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        # Linux has it; elsewhere a reader of a quiet branch is found out when the transport's buffer is full.
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            patience_seconds = slow_reader_seconds + HURRY_SECONDS + _KERNEL_WAITS_LONGER_SECONDS
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(patience_seconds * 1000))


def is_given_up(error: Exception | None) -> bool:
    """Whether a connection was lost because its peer's kernel took nothing for too long."""
    return isinstance(error, TimeoutError)


def tell_of_slow(path: str, client: tuple[str, int] | None) -> None:
    """Put into the log that a reader was cut."""
    _log.warning("a reader takes nothing and is cut", reason="slow", path=path[:_SHOWN], client=client)
