"""A client that asks for something and never reads a byte of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psutil

_RECEIVE_BUFFER_BYTES = 4096


class Stuck:
    """One connection of such a client, with next to no room on its side."""

    def __init__(self, base: str, path: str) -> None:
        parts = urlsplit(base)
        self._address = parts.hostname or "", parts.port or 80
        self._request = f"GET {path} HTTP/1.1\r\nHost: {parts.hostname}\r\n\r\n".encode()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._socket.setblocking(False)

    async def ask(self) -> None:
        """Connect and send the request."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        await loop.sock_sendall(self._socket, self._request)

    async def answered(self) -> None:
        """Wait until the answer has begun to come, and leave it where it is."""
        await until(self._has_something, seconds=30)

    def _has_something(self) -> bool:
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    @property
    def address(self) -> tuple[str, int]:
        """This end of the connection, as the server sees it."""
        host, port = self._socket.getsockname()
        return host, port

    def leave(self) -> None:
        """Close."""
        self._socket.close()


@asynccontextmanager
async def stuck(base: str, path: str, count: int) -> AsyncIterator[list[Stuck]]:
    """Let many ask for the same, until each is being answered; at the end they leave."""
    clients = [Stuck(base, path) for _ in range(count)]
    try:
        for client in clients:
            await client.ask()
        for client in clients:
            # Whoever is not followed for yet would miss what makes the others stuck.
            await client.answered()
        yield clients
    finally:
        for client in clients:
            client.leave()


def connected(process: psutil.Process) -> set[tuple[str, int]]:
    """Return the far ends of a server's connections."""
    return {
        (connection.raddr.ip, connection.raddr.port)
        for connection in process.net_connections(kind="tcp")
        if connection.raddr
    }


async def until(is_so: Callable[[], bool], *, seconds: float = 15) -> None:
    """Look now and then until something is so."""
    async with asyncio.timeout(seconds):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.05)
