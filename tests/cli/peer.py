"""A peer that answers what it was told to, byte for byte, and remembers what it was asked."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

EVENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
ACCEPTED = (
    b'{"runtimeRunId":"run_1","messageId":"msg_1","status":"active","position":"aaaaaaaaaaaa.1"}'  # as 202 carries it
)


class Peer:
    """Gives each request the next of its answers, then cuts the connection; after the last answer it keeps silent."""

    def __init__(self, *answers: bytes, hold_last: bool = False, port: int = 0) -> None:
        self._port = port
        self._answers: Iterator[bytes] = iter(answers)
        self._left = len(answers)
        self._hold_last = hold_last
        self._over = asyncio.Event()
        self.requests: list[str] = []
        self.times: list[float] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._over.set()
        await self.stop()

    async def stop(self) -> None:
        """Answer nobody any more."""
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            self.times.append(asyncio.get_running_loop().time())
            writer.write(next(self._answers, b""))
            await writer.drain()
            self._left -= 1
            if self._hold_last and self._left <= 0:
                await self._over.wait()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def places(self) -> list[str | None]:
        """Return the Last-Event-ID of each request."""
        return [_header(head, "last-event-id") for head in self.requests]


def answer(status: str, body: bytes, content_type: str = "application/json") -> bytes:
    """Return an answer with a body."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def stream(*blocks: str) -> bytes:
    """Return a stream of blocks that ends without a word."""
    return EVENT_STREAM + "".join(f"{block}\n\n" for block in blocks).encode()


def delta(seq: int, text: str = "x") -> str:
    """Return the block of a piece of text."""
    place = f"aaaaaaaaaaaa.{seq}"
    return (
        f'id: {place}\ndata: {{"version":"1.0","type":"TEXT_DELTA","eventId":"{place}","sequenceNumber":{seq},'
        f'"timestamp":"2026-01-01T00:00:00Z","sessionId":"s1","branchId":"main","text":"{text}","messageId":"m1"}}'
    )


def _header(head: str, name: str) -> str | None:
    lines = [line.partition(":") for line in head.split("\r\n")[1:]]
    return next((value.strip() for key, _, value in lines if key.lower() == name), None)
