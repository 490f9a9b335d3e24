"""HTTP by hand, for requests that no client library would send."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_ANSWERS_WITHIN_SECONDS = 10


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The problem document."""
        document: dict[str, Any] = json.loads(self.body)
        return document


class Wire:
    """A connection; `async with` opens it."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port or 80

    async def __aenter__(self) -> "Wire":
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.transport.abort()

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def request(self, method: str, path: str, *headers: str, body: bytes = b"") -> Answer:
        """Send a request with these headers exactly, and return the answer."""
        await self.write(self._head(method, path, headers) + body)
        return await self.answer()

    async def post_chunked(self, path: str, *pieces: bytes, ends: bool = True) -> Answer:
        """Post a body piece by piece, and its end unless told not to; only then read the answer."""
        return await self.send_chunked("POST", path, *pieces, ends=ends)

    async def send_chunked(
        self, method: str, path: str, *pieces: bytes, ends: bool = True, headers: Iterable[str] = ()
    ) -> Answer:
        """Send a body piece by piece, and its end unless told not to; only then read the answer."""
        head = self._head(method, path, ("Transfer-Encoding: chunked", "Content-Type: application/json", *headers))
        await self.write(head)
        for piece in pieces:
            await self.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if ends:
            await self.write(b"0\r\n\r\n")
        return await self.answer()

    async def answer(self) -> Answer:
        """Read one answer."""
        async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(head[0].split()[1]), headers, body)

    async def read_until(self, last: bytes) -> bytes:
        """Read until this has come; return all that came."""
        seen = b""
        async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS):
            while last not in seen:
                piece = await self._reader.read(1 << 16)
                assert piece, seen
                seen += piece
        return seen

    async def all(self, seconds: float) -> bytes:
        """Return what comes within this time, or until the server ends the connection."""
        seen = b""
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(seconds):
                while piece := await self._reader.read(1 << 16):
                    seen += piece
        return seen

    async def ends(self) -> bool:
        """Say whether the server ends the connection."""
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS):
                return await self._reader.read(1) == b""
        except ConnectionError:
            return True

    def _head(self, method: str, path: str, headers: Iterable[str]) -> bytes:
        return "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {self._host}", *headers, "", "")).encode("latin-1")
