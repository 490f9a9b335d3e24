"""A WebSocket of bare frames (RFC 6455, section 5.2), for what no library sends."""

import asyncio
import struct
from contextlib import suppress
from typing import Final, Self
from urllib.parse import urlsplit

CONTINUATION: Final = 0
TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10


def frame(opcode: int, payload: bytes = b"", *, last: bool = True, rsv1: bool = False, masked: bool = True) -> bytes:
    """Write a frame; its mask is all zeros, so the payload stands there as it is."""
    head = bytes([(0x80 if last else 0) | (0x40 if rsv1 else 0) | opcode])
    mask_bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([mask_bit | len(payload)])
    elif len(payload) < 1 << 16:
        head += bytes([mask_bit | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([mask_bit | 127]) + struct.pack("!Q", len(payload))
    return head + (bytes(4) if masked else b"") + payload


class RawSocket:
    """A TCP connection on which the handshake is made; `async with` opens and cuts it."""

    def __init__(self, base: str, path: str, *headers: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port or 80
        handshake = (
            f"GET {path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *headers,
        )
        self._handshake = ("\r\n".join(handshake) + "\r\n\r\n").encode()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.answer = ""

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 16)
        self._writer.write(self._handshake)
        self.answer = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()

    @property
    def reader(self) -> asyncio.StreamReader:
        """What the server sends."""
        assert self._reader is not None
        return self._reader

    @property
    def writer(self) -> asyncio.StreamWriter:
        """What is sent to the server."""
        assert self._writer is not None
        return self._writer

    @property
    def address(self) -> tuple[str, int]:
        """This end of the connection, as the server sees it."""
        host, port = self.writer.get_extra_info("sockname")
        return host, port

    def take_nothing(self) -> None:
        """Read nothing from now on, so that the server's side fills up."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()

    def take_again(self) -> None:
        """Read on."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.resume_reading()

    async def write(self, *frames: bytes, seconds: float = 30) -> None:
        """Send frames, and wait until they are on their way."""
        async with asyncio.timeout(seconds):
            self.writer.write(b"".join(frames))
            await self.writer.drain()

    async def read(self, *, seconds: float = 30) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame."""
        async with asyncio.timeout(seconds):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)

    async def read_all(self, *, seconds: float = 30) -> bytes:
        """Return whatever comes until the server cuts the connection."""
        async with asyncio.timeout(seconds):
            return await self.reader.read()

    async def closing(self, *, seconds: float = 30) -> tuple[int, str]:
        """Return the code and the reason of the close frame, once it comes; pings are not answered."""
        async with asyncio.timeout(seconds):
            while True:
                opcode, payload = await self.read()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    async def cut_off(self, *, seconds: float = 30) -> None:
        """Wait until the server has cut the connection."""
        async with asyncio.timeout(seconds):
            try:
                while await self.reader.read(1 << 16):
                    pass
            except ConnectionError:
                return
