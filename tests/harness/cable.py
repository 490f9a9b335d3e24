"""A cable between a client and a server, that can be pulled and plugged into another server."""

import asyncio
from typing import Self
from urllib.parse import urlsplit


class Cable:
    """Carries bytes to a server from an address that stays; `async with` lays it."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._listening: asyncio.Server | None = None
        self._carrying: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self.url = ""

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._listening.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._listening is not None
        self._listening.close()
        self.cut()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def plug(self, server_url: str) -> None:
        """Lead new connections to another server."""
        self._server_url = server_url

    def cut(self) -> int:
        """Break every connection without a word, and return how many there were."""
        ends = [end for pair in self._carrying.values() for end in pair]
        for end in ends:
            end.transport.abort()
        return len(ends) // 2

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ends = self._carrying[task] = [writer]
        try:
            parts = urlsplit(self._server_url)
            there_reader, there_writer = await asyncio.open_connection(parts.hostname, parts.port)
            ends.append(there_writer)
            await asyncio.gather(_carry(reader, there_writer), _carry(there_reader, writer))
        except OSError:
            # Cut, or nothing listens there any more: the client's connection breaks as well.
            return
        finally:
            for end in ends:
                end.transport.abort()
            del self._carrying[task]


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
