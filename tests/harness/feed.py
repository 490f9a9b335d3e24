"""A raw follower of a live feed: its own HTTP and its own parser, so that it can disagree with the server's."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit


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
    """A connection to `events/live`; `async with` opens it and reads the headers."""

    def __init__(self, base: str, path: str, *, last_event_id: str | None = None) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = path
        self._last_event_id = last_event_id
        self._buffer = b""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.ended = False

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 22)
        lines = [f"GET {self._path} HTTP/1.1", f"Host: {self._host}", "Accept: text/event-stream"]
        if self._last_event_id is not None:
            lines.append(f"Last-Event-ID: {self._last_event_id}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
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

    async def frame(self) -> Frame | None:
        """Return the next block; None when the stream has ended."""
        while b"\n\n" not in self._buffer:
            piece = await self._chunk()
            if not piece:
                self.ended = True
                return None
            self._buffer += piece
        block, self._buffer = self._buffer.split(b"\n\n", 1)
        return Frame.parse(block)

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

    async def _chunk(self) -> bytes:
        assert self._reader is not None
        try:
            size = int((await self._reader.readline()).strip() or b"0", 16)
            piece = await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        return piece


def completed(event: dict[str, Any]) -> bool:
    """Say whether an event is a run's last."""
    return bool(event["type"] == "BRANCH_RUN_COMPLETED")
