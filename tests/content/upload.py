"""A form with a file, sent over a socket of its own: as fast, as slowly and as far as a test wants."""

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

BOUNDARY = "----what-no-file-has-in-it"
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
PIECE = 64 << 10


@dataclass(frozen=True)
class Answered:
    """A response that was read to its end, or as far as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """What kind of problem it is."""
        return str(self.json["code"])


class Upload:
    """One connection that uploads; `async with` opens it."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port or 80

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def head(self, path: str, *headers: str, length: int | None = None, name: str = "a.bin") -> None:
        """Send everything before the file's bytes; without the length of the file, the body is chunked."""
        front = form_head(name)
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {len(front) + length + len(TAIL)}"
        form = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
        self._is_chunked = length is None
        self._writer.write(
            "\r\n".join([f"POST {path} HTTP/1.1", f"Host: {self._host}", size, form, *headers, "", ""]).encode()
        )
        await self.send(front)

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)
        await self._writer.drain()

    async def end(self) -> None:
        """Send everything behind the file's bytes."""
        await self.send(TAIL)
        if self._is_chunked:
            self._writer.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Break the connection."""
        self._writer.transport.abort()

    async def answer(self) -> Answered:
        """Read the response."""
        async with asyncio.timeout(60):
            status, headers = await self._read_head()
            while status == 100:
                status, headers = await self._read_head()
            return Answered(status, headers, await self._reader.readexactly(int(headers.get("content-length", "0"))))

    async def status(self) -> int:
        """Read the head of a response, and return its status."""
        async with asyncio.timeout(60):
            return (await self._read_head())[0]

    async def _read_head(self) -> tuple[int, Mapping[str, str]]:
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split(" ")[1]), headers


def form_head(name: str = "a.bin", content_type: str | None = "application/x-test", field: str = "file") -> bytes:
    """Return what stands in a form before the bytes of a file."""
    lines = [f"--{BOUNDARY}", f'Content-Disposition: form-data; name="{field}"; filename="{name}"']
    lines += [] if content_type is None else [f"Content-Type: {content_type}"]
    return "\r\n".join([*lines, "", ""]).encode()


def form(data: bytes, name: str = "a.bin", content_type: str | None = "application/x-test") -> bytes:
    """Return a whole form."""
    return form_head(name, content_type) + data + TAIL


async def pieces_of(size: int, seed: int = 1) -> AsyncIterator[bytes]:
    """Yield so many bytes that no compression makes smaller."""
    block = Random(seed).randbytes(PIECE)
    for start in range(0, size, PIECE):
        # Each piece another one, or one that is in the wrong place would not be seen.
        yield (start.to_bytes(8, "big") + block)[: min(PIECE, size - start)]


async def digest(pieces: AsyncIterable[bytes]) -> str:
    """Return the SHA-256 of what is yielded, in hex."""
    read = sha256()
    async for piece in pieces:
        read.update(piece)
    return read.hexdigest()


async def upload(base: str, path: str, size: int, seed: int = 1, name: str = "a.bin") -> Answered:
    """Upload a file of some size."""
    async with Upload(base) as sending:
        await sending.head(path, length=size, name=name)
        async for piece in pieces_of(size, seed):
            await sending.send(piece)
        await sending.end()
        return await sending.answer()
