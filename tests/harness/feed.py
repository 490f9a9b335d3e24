"""A raw follower of a live feed: its own HTTP and its own parser, so that it can disagree with the server's."""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

_HEARTBEAT = re.compile(rb"^: heartbeat\nid: [^\n]*\n\n", re.MULTILINE)


@dataclass
class Frame:
    """One block of the stream."""

    id: str | None = None
    data: str | None = None
    event: str | None = None
    retry: str | None = None
    comments: list[str] = field(default_factory=list)

    @property
    def json(self) -> dict[str, Any]:
        """The event."""
        assert self.data is not None
        value: dict[str, Any] = json.loads(self.data)
        return value

    @classmethod
    def parse(cls, block: bytes) -> Self:
        """Read a block by the rules of the WHATWG."""
        frame = cls()
        for line in block.decode().split("\n"):
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if not name:
                frame.comments.append(value)
            elif name == "data":
                frame.data = value if frame.data is None else f"{frame.data}\n{value}"
            elif name in ("id", "event", "retry"):
                setattr(frame, name, value)
        return frame


class Feed:
    """A connection to `events/live`; `async with` opens it and reads the headers.

    `last_id` is what a browser would come back with: the last `id:` of a whole block.
    """

    def __init__(self, base: str, path: str, *, last_event_id: str | None = None) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = path
        self._last_event_id = last_event_id
        self._blocks: deque[bytes] = deque()
        self._rest = b""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.last_id = last_event_id
        self.ended = False

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 22)
        lines = [f"GET {self._path} HTTP/1.1", f"Host: {self._host}", "Accept: text/event-stream"]
        if self._last_event_id is not None:
            lines.append(f"Last-Event-ID: {self._last_event_id}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except BaseException:
            # The server died before it answered; nobody else would close this.
            self.cut()
            raise
        self.status = int(head[0].split()[1])
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Leave without a word."""
        if self._writer is not None:
            self._writer.transport.abort()

    def take_nothing(self) -> None:
        """Read nothing from now on, so that the server's side fills up."""
        assert self._writer is not None
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()

    def take_again(self) -> None:
        """Read on."""
        assert self._writer is not None
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.resume_reading()

    async def read(self) -> bytes:
        """Return the next piece of the body as it comes; empty when the stream has ended."""
        assert self._reader is not None
        try:
            size = int((await self._reader.readline()).strip() or b"0", 16)
            piece = await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        return piece

    async def read_through(self, mark: bytes, *, seconds: float = 60) -> bytes:
        """Return the body's exact bytes up to and with the block that holds the mark; nothing may follow it yet.

        Heartbeats are left out: whether there are any depends on how long the machine takes for the rest.
        Takes what the socket has in one go, so that hundreds of readers keep up; for a stream nothing was read of.
        """
        assert self._reader is not None
        raw, found = bytearray(), False
        async with asyncio.timeout(seconds):
            while piece := await self._reader.read(1 << 18):
                searched = max(0, len(raw) - len(mark))
                raw += piece
                found = found or raw.find(mark, searched) >= 0
                if found and (body := _dechunk(bytes(raw))) is not None and body.endswith(b"\n\n"):
                    return _HEARTBEAT.sub(b"", body)
        raise AssertionError(f"the stream ended after {len(raw)} bytes")

    async def frames_within(self, size: int, mark: bytes) -> list[Frame]:
        """Return the whole blocks among the next `size` bytes, as a client has them whose line breaks there.

        Waits no longer than for the piece that holds the mark: what follows it may never come.
        """
        received = b""
        while len(received) < size and mark not in received and (piece := await self.read()):
            received += piece
        *blocks, _ = received[:size].split(b"\n\n")
        frames = [Frame.parse(block) for block in blocks]
        for frame in frames:
            self._learn_id(frame)
        return frames

    async def frame(self) -> Frame | None:
        """Return the next block; None when the stream has ended."""
        while not self._blocks:
            piece = await self.read()
            if not piece:
                self.ended = True
                return None
            *whole, self._rest = (self._rest + piece).split(b"\n\n")
            self._blocks.extend(whole)
        frame = Frame.parse(self._blocks.popleft())
        self._learn_id(frame)
        return frame

    async def event(self) -> Frame | None:
        """Return the next block that has data; None when the stream has ended."""
        while (frame := await self.frame()) is not None:
            if frame.data is not None:
                return frame
        return None

    async def until(self, last: Callable[[dict[str, Any]], bool], *, seconds: float = 30) -> list[Frame]:
        """Return the blocks with data, up to and with the first whose event is the last one wanted."""
        frames: list[Frame] = []
        async with asyncio.timeout(seconds):
            while (frame := await self.event()) is not None:
                frames.append(frame)
                if last(frame.json):
                    return frames
        raise AssertionError(f"the stream ended after {len(frames)} events")

    async def to_end(self, *, seconds: float = 30) -> list[Frame]:
        """Return all blocks that are left, once the server has ended the stream."""
        frames: list[Frame] = []
        async with asyncio.timeout(seconds):
            while (frame := await self.frame()) is not None:
                frames.append(frame)
        return frames

    def _learn_id(self, frame: Frame) -> None:
        if frame.id is not None:
            self.last_id = frame.id


@asynccontextmanager
async def opened(feeds: Sequence[Feed]) -> AsyncIterator[None]:
    """Open many followers at once; at the end they are cut."""
    try:
        await asyncio.gather(*(feed.__aenter__() for feed in feeds))
        yield
    finally:
        for feed in feeds:
            feed.cut()


COMPLETED = b'"type":"BRANCH_RUN_COMPLETED"'
"""What the bytes of a run's last event hold, and those of no other."""


def _dechunk(raw: bytes) -> bytes | None:
    pieces, place = [], 0
    while place < len(raw):
        begin = raw.find(b"\r\n", place) + 2
        end = begin + int(raw[place : begin - 2], 16) if begin > 1 else len(raw)
        if begin < 2 or end + 2 > len(raw):
            return None
        pieces.append(raw[begin:end])
        place = end + 2
    return b"".join(pieces)


def completed(event: dict[str, Any]) -> bool:
    """Say whether an event is a run's last."""
    return bool(event["type"] == "BRANCH_RUN_COMPLETED")
