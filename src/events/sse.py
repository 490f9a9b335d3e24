"""Server-sent events: frames written with LF alone, and a parser for clients (WHATWG HTML, section 9.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from events.position import Position

HEARTBEAT = b": heartbeat\n"
_DATA = b"\ndata: "


def frame(place: Position, data: bytes) -> bytes:
    """Frame one event that has a place."""
    return b"id: %b\ndata: %b\n\n" % (str(place).encode(), data)


def frames(first: Position, lines: Sequence[bytes]) -> list[bytes]:
    """Frame consecutive events."""
    epoch = first.epoch.encode()
    return [b"id: %b.%d\ndata: %b\n\n" % (epoch, seq, line) for seq, line in enumerate(lines, first.seq)]


def each_data(framed: bytes) -> Iterator[bytes]:
    """Undo `frames`: give the events that were framed one after the other, without their places."""
    end = 0
    while (start := framed.find(_DATA, end)) >= 0:
        start += len(_DATA)
        end = framed.index(b"\n\n", start)
        yield framed[start:end]


def opening(place: Position, retry_ms: int) -> bytes:
    """Write what a stream opens with: how soon to come back, and the place it starts from."""
    return b"retry: %d\nid: %b\n\n" % (retry_ms, str(place).encode())


def heartbeat(place: Position) -> bytes:
    """Write a comment that carries the place of the last event sent."""
    return b"%bid: %b\n\n" % (HEARTBEAT, str(place).encode())


def unplaced(data: bytes, retry_ms: int | None = None) -> bytes:
    """Frame a control event: it has no id, so that a client resumes from the last event before it."""
    retry = b"" if retry_ms is None else b"retry: %d\n" % retry_ms
    return b"%bdata: %b\n\n" % (retry, data)


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One block of a stream; `data` is None where the block had none."""

    data: str | None
    id: str | None
    retry_ms: int | None


class SseParser:
    """Takes a stream's bytes as they come and gives back whole blocks."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, received: bytes) -> list[ServerSentEvent]:
        """Return the blocks that these bytes complete."""
        *blocks, self._buffer = (self._buffer + received).split(b"\n\n")
        return [_read_block(block.decode()) for block in blocks if block]


def _read_block(block: str) -> ServerSentEvent:
    data: list[str] = []
    event_id: str | None = None
    retry_ms: int | None = None
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "id":
            event_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            retry_ms = int(value)
    return ServerSentEvent(data="\n".join(data) if data else None, id=event_id, retry_ms=retry_ms)
