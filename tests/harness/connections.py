"""A client's connections; those of httpx look at all others after each answer, half of what many at once take."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Self

import h11
import httpx

_PIECE_BYTES: Final = 1 << 16
_HEAD_BYTES: Final = 100 << 10


class Connections(httpx.AsyncBaseTransport):
    """As many connections as are needed up to a number, kept open between requests; what finds none free waits."""

    def __init__(self, most: int = 100) -> None:
        self._places = asyncio.Semaphore(most)
        self._kept: list[_Connection] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer, whose body is yet to be read."""
        seconds = request.extensions["timeout"]
        with _told(httpx.PoolTimeout, httpx.PoolTimeout):
            async with asyncio.timeout(seconds["pool"]):
                await self._places.acquire()
        connection: _Connection | None = None
        try:
            connection = self._living() or await _Connection.open(request.url, seconds["connect"])
            return await connection.ask(request, self._leave)
        except BaseException:
            self._leave(connection)
            raise

    async def aclose(self) -> None:
        """Close those that are open."""
        while self._kept:
            self._kept.pop().close()

    def _living(self) -> "_Connection | None":
        while self._kept:
            connection = self._kept.pop()
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def _leave(self, connection: "_Connection | None") -> None:
        self._places.release()
        if connection is not None:
            if connection.is_reusable():
                self._kept.append(connection)
            else:
                connection.close()


class _Connection:
    """One of them; it carries one request after the other."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._state = h11.Connection(h11.CLIENT, _HEAD_BYTES)

    @classmethod
    async def open(cls, url: httpx.URL, seconds: float | None) -> Self:
        """Connect to the server of an address."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with _told(httpx.ConnectTimeout, httpx.ConnectError):
                async with asyncio.timeout(seconds):
                    await asyncio.get_running_loop().sock_connect(sock, (url.host, url.port or 80))
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    def is_quiet(self) -> bool:
        """Whether the other side has neither closed this nor said what it was not asked for."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def is_reusable(self) -> bool:
        """Whether both sides are done and mean to go on; if so, it is ready for the next request."""
        if self._state.our_state is not h11.DONE or self._state.their_state is not h11.DONE:
            return False
        self._state.start_next_cycle()
        return True

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    async def ask(self, request: httpx.Request, leave: "Callable[[_Connection], None]") -> httpx.Response:
        """Send a request and return its answer; who has read that, or enough of it, leaves this."""
        seconds = request.extensions["timeout"]
        # A server may refuse what it has read half of, and close: its answer is what counts.
        with suppress(httpx.WriteError):
            await self._send(request, seconds["write"])
        while not isinstance(event := await self._event(seconds["read"]), h11.Response):
            pass
        return httpx.Response(
            event.status_code,
            headers=event.headers.raw_items(),
            stream=_Body(self._pieces(seconds["read"]), lambda: leave(self)),
            extensions={"http_version": b"HTTP/" + event.http_version, "reason_phrase": event.reason},
        )

    async def _send(self, request: httpx.Request, seconds: float | None) -> None:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        waiting = self._state.send(head) or b""
        async for piece in request.stream:
            await self._write(waiting + (self._state.send(h11.Data(data=piece)) or b""), seconds)
            waiting = b""
        await self._write(waiting + (self._state.send(h11.EndOfMessage()) or b""), seconds)

    async def _write(self, data: bytes, seconds: float | None) -> None:
        if data:
            with _told(httpx.WriteTimeout, httpx.WriteError):
                async with asyncio.timeout(seconds):
                    await self._loop.sock_sendall(self._socket, data)

    async def _pieces(self, seconds: float | None) -> AsyncGenerator[bytes, None]:
        while not isinstance(event := await self._event(seconds), h11.EndOfMessage):
            assert isinstance(event, h11.Data)
            yield bytes(event.data)

    async def _event(self, seconds: float | None) -> h11.Event:
        with _told(httpx.ReadTimeout, httpx.ReadError):
            while (event := self._state.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(seconds):
                    self._state.receive_data(await self._loop.sock_recv(self._socket, _PIECE_BYTES))
        assert isinstance(event, h11.Event)
        return event


class _Body(httpx.AsyncByteStream):
    """The body of an answer; closing it gives the connection back."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], leave: Callable[[], None]) -> None:
        self._pieces = pieces
        self._leave = leave

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def aclose(self) -> None:
        """Leave the connection, wherever the body was read up to."""
        await self._pieces.aclose()
        self._leave()


@contextmanager
def _told(late: type[httpx.TimeoutException], failed: type[httpx.TransportError]) -> Iterator[None]:
    """Tell what went wrong in httpx's words."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise failed(str(error)) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
