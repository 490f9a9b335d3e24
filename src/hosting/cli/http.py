"""HTTP connections, as we ship them: uvicorn's `httptools` implementation with what it lacks.

The parser alone lets heads grow without end, waits for the rest of a request for ever, takes what a proxy in front may
read differently, and answers the request before with the error of the one behind. ASGI middleware sees none of that,
since it is asked once a head is whole.

uvicorn's callbacks are stood on, not copied, so pyproject.toml says which uvicorn this is for.
"""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Any, ClassVar, Final

import httptools
import structlog
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from websockets.datastructures import Headers

from hosting.api.live import CHUNKS
from hosting.api.problems import INTERNAL_ERROR
from hosting.cli.http_deadline import Deadline
from hosting.cli.http_head import WATCHED, Head, Header, check_head, size_of_head
from hosting.cli.http_refusal import Refused
from hosting.cli.slow_reader import PatientHttp
from hosting.cli.websocket import ShippedWebSocket
from hosting.domain.quota import Full, Quota
from hosting.settings import Settings

_log = structlog.get_logger("branchline.http")

_WAITING_REQUESTS: Final = 100
_UNUSABLE_BYTES: Final = 1 << 20
_FORGOTTEN_BYTES: Final = 64 << 20
_AROUND_A_HEADER: Final = len(b": \r\n")
_LINGER_SECONDS: Final = 1.0
_TOO_MANY: Final = {
    Full.OWN: Refused("too-many-requests", "This address has as many connections open as it may have."),
    Full.ALL: Refused("overloaded", "The server has as many connections open as it can have."),
}


# What of a request the peer is sending. No Enum: looking up a member of one takes as long as a header does.
_NOTHING: Final = 0
_HEAD: Final = 1
_BODY: Final = 2


class ShippedHttp(PatientHttp):
    """Bounds what a peer sends in size and time, and refuses with problem documents, each in its turn."""

    peers: ClassVar[Quota[str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self._deadline = Deadline(self.loop, self._time_is_up)
        self._part = _NOTHING
        self._head = Head()
        self._watched: list[Header] = []
        self._received = 0
        # Of the request that comes, without what is its body.
        self._raw_bytes = 0
        self._body_ends = 0.0
        self._running: RequestResponseCycle | None = None
        self._last_words: bytes | None = None
        self._forgotten_bytes = 0
        self._address: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request, unless the peer has too many connections already."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        full = self.peers.take(address)
        if full is None:
            self._address = address
            self._deadline.set(self.settings.header_seconds)
            return
        # Not waited for: that would be one connection more.
        self._last_words = _TOO_MANY[full].answer(b"", self.server_state.default_headers)
        transport.write(self._last_words)
        transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the peer, and tell who answers it."""
        super().connection_lost(exc)
        # The base tells the request that came last, and others may be before it.
        if self._running is not None:
            _give_up(self._running)
            # It holds this object, which would wait for the collector.
            self._running.scope["extensions"] = {}
        self.pipeline.clear()
        self._deadline.end()
        if self._address is not None:
            self.peers.give_back(self._address)

    def data_received(self, data: bytes) -> None:
        """Read what came; what is not HTTP/1.1, or too much of it, is refused."""
        if self._last_words is not None:
            self._forget(len(data))
            return
        self._received = len(data)
        try:
            self._feed(data)
            if self._part != _NOTHING:
                self._expect_more()
        except Refused as refused:
            self._refuse(refused)

    def on_message_begin(self) -> None:
        """Begin with a request."""
        super().on_message_begin()
        self._part = _HEAD
        self._watched = []
        self._raw_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those that stand behind a body are read and forgotten.

        Raises:
            Refused: it is one too many.
        """
        headers = self.headers
        if self._part != _HEAD:
            # The base would add them to the headers of a request that has been looked at already.
            return
        if len(headers) >= self.settings.max_headers:
            raise _too_large(f"A request may have {self.settings.max_headers} headers")
        header = (name.lower(), value)
        headers.append(header)
        if header[0] in WATCHED:
            self._watched.append(header)

    def on_headers_complete(self) -> None:
        """Hand the request to the application, if its head holds together.

        Raises:
            Refused: it does not, or is too large, or too many wait already.
        """
        if self._raw_bytes + self._received > self.settings.max_header_bytes:
            # Part of that may be a body, or the request before.
            self._check_size(size_of_head(self.parser.get_method(), self.url, self.headers))
        self._head = check_head(self.parser.get_http_version(), self.parser.get_method(), self.url, self._watched)
        if self.parser.should_upgrade():
            # The parser takes it for the last one and skips its body; see `_feed`.
            return
        self.expect_100_continue = self._head.expects_100_continue
        super().on_headers_complete()
        self._part = _BODY
        self._raw_bytes = 0
        self._body_ends = 0.0
        if len(self.pipeline) > _WAITING_REQUESTS:
            raise Refused("too-many-requests", "Wait for answers before you send more requests.")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        super().on_body(body)
        if not self.cycle.response_complete:
            self._raw_bytes -= len(body)

    def on_message_complete(self) -> None:
        """Owe the peer an answer, which may take as long as it takes."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self._part = _NOTHING
        self._deadline.lift()

    def on_response_complete(self) -> None:
        """Turn to the next request, or wait for one.

        The base would start a timer here with every answer, and never again once half a request has come.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._last_words is not None:
            self._say_last_words(self._last_words)
        elif self._part == _NOTHING:
            self._deadline.set(self.settings.keep_alive_seconds)

    def _become_socket(self, early: bytes) -> None:
        """Hand the connection over, with the head as it was read here, and with what came behind it.

        The base would write it down for the other side to parse again, which knows other limits and fewer characters.
        """
        if self._is_busy() or self.flow.write_paused:
            raise Refused("invalid-request", "Wait for the answers before you ask for a WebSocket.")
        self._part = _NOTHING
        self._deadline.end()
        self.connections.discard(self)
        headers = Headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in self.headers])
        on_lost = partial(self.peers.give_back, self._address) if self._address is not None else None
        protocol = ShippedWebSocket(self.config, self.server_state, self.app_state)
        protocol.begin_with(self.url.decode("ascii"), headers, on_lost, self.settings.slow_reader_seconds)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(early)
        # It holds this object, which would wait for the collector.
        self.parser = None  # type: ignore[assignment]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        cycle.scope["extensions"] = {CHUNKS: self._write_chunk}  # type: ignore[dict-item]
        super()._start_asgi_task(cycle, app)

    def _write_chunk(self, piece: bytes) -> Awaitable[None] | None:
        """See CHUNKS; `send` does the same with a message."""
        if self._running is None or self._running.disconnected or self._running.response_complete:
            return None
        self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        return self.flow.drain() if self.flow.write_paused else None

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                rest = data[upgrade.args[0] :]
                if self._is_handshake():
                    self._become_socket(rest)
                    return
                # What else it may become is not spoken here: it is a request like all others, and is read as one.
                data = self._head_without_upgrade() + rest
                self.parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError as error:
                raise _refusal(error) from error
            else:
                return

    def _is_handshake(self) -> bool:
        return (
            self._get_upgrade() == b"websocket"
            and not self._head.announces_body
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
        )

    def _head_without_upgrade(self) -> bytes:
        line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = (b"%b: %b" % header for header in self.headers if header[0] != b"upgrade")
        return b"\r\n".join((line, *headers, b"", b""))

    def _expect_more(self) -> None:
        """Give the peer time for the rest of a request, within bounds."""
        begins = self._raw_bytes == 0
        self._raw_bytes += self._received
        if self._part == _BODY:
            if self._raw_bytes > _UNUSABLE_BYTES:
                raise Refused("invalid-request", "The body holds more of its encoding than of itself.")
            self._deadline.set(self._seconds_for_body())
            return
        self._check_size(self._raw_bytes)
        if begins:
            self._deadline.set(self.settings.header_seconds)

    def _check_size(self, size: int) -> None:
        if size > self.settings.max_header_bytes:
            raise _too_large(f"The head of a request may have {self.settings.max_header_bytes} bytes")

    def _seconds_for_body(self) -> float:
        now = self.loop.time()
        self._body_ends = self._body_ends or now + self.settings.body_seconds
        return min(self.settings.body_idle_seconds, max(0.0, self._body_ends - now))

    def _time_is_up(self) -> None:
        if self._last_words is not None:
            self.transport.abort()
        elif self._part == _NOTHING or self.transport.is_closing():
            self.transport.close()
        elif self.flow.read_paused:
            # What has not come may have been sent: nobody reads here now.
            self._deadline.set(self.settings.body_idle_seconds)
        else:
            what = "head" if self._part == _HEAD else "body"
            self._refuse(Refused("request-timeout", f"The {what} of the request took too long to come."))

    def _refuse(self, refused: Refused) -> None:
        """End with this request; the answers to those before it go first."""
        target = b"" if self._part == _NOTHING else self.url
        broken = self.cycle if self._part == _BODY else None
        self._last_words = refused.answer(target, self.server_state.default_headers)
        self._part = _NOTHING
        self._deadline.lift()
        if broken is None or broken is not self._running:
            if broken is not None:
                self.pipeline.popleft()
            if self._is_busy():
                return
        elif broken.response_started:
            self.transport.close()
            return
        else:
            _give_up(broken)
        self._say_last_words(self._last_words)

    def _say_last_words(self, words: bytes) -> None:
        """Answer, and close once the peer has: closed with bytes unread, a connection is reset and its answer lost."""
        self.transport.write(words)
        self.transport.write_eof()
        self._deadline.set(_LINGER_SECONDS)

    def _forget(self, received: int) -> None:
        self._forgotten_bytes += received
        if self._forgotten_bytes > _FORGOTTEN_BYTES:
            self.transport.abort()

    def _is_busy(self) -> bool:
        return self._running is not None and not self._running.response_complete


def shipped_http(settings: Settings, peers: Quota[str]) -> type[ShippedHttp]:
    """Return the protocol of one server's connections, which are counted together, by address."""
    return type("ShippedHttp", (ShippedHttp,), {"settings": settings, "peers": peers})


def _give_up(cycle: RequestResponseCycle) -> None:
    """Tell an application that nobody waits for its answer any more."""
    if not cycle.response_complete:
        cycle.disconnected = True
    cycle.message_event.set()


def _too_large(detail: str) -> Refused:
    return Refused("headers-too-large", f"{detail}; this one has more.")


def _refusal(error: httptools.HttpParserError) -> Refused:
    """Return what is to be said of a request that could not be read."""
    cause = error.__context__
    if isinstance(cause, Refused):
        return cause
    if cause is not None and not isinstance(cause, httptools.HttpParserError):
        _log.error("a request could not be read", exc_info=cause)
        return Refused("internal-error", INTERNAL_ERROR)
    return Refused("invalid-request", f"This is no HTTP/1.1 request: {error}.")
