"""Responses as they arrive: every piece with its time, looked into only when all of it is there."""

import re
import select
import socket
import time
from bisect import bisect_right
from collections.abc import Collection
from itertools import accumulate

_BUFFER = 1 << 18
_ID = re.compile(rb"\nid: ([0-9a-f]{12})\.(\d+)\r?\ndata: ")


class EventsLost(Exception):
    """A reader did not get exactly the events that were written, in their order."""


class Stream:
    """What one connection receives, up to and with an end marker."""

    def __init__(self, wire: socket.socket, end: bytes, began: bytes = b"") -> None:
        self.wire = wire
        self._end = end
        self._tail = b""
        self.ended = False
        self.times: list[float] = []
        self.pieces: list[bytes] = []
        if began:
            self._add(began)

    def take(self, buffer: bytearray) -> bool:
        """Receive what is there; True when the end has been seen."""
        count = self.wire.recv_into(buffer)
        if not count:
            raise ConnectionError("The server closed the connection.")
        self._add(bytes(memoryview(buffer)[:count]))
        return self.ended

    def received(self) -> bytes:
        """Return everything."""
        return b"".join(self.pieces)

    def first(self, text: bytes) -> float:
        """Return when the first piece came that this text begins in."""
        return self.times[self._piece_at(self._found(self.received().find(text), text))]

    def last(self, text: bytes) -> float:
        """Return when the last piece came that this text begins in."""
        return self.times[self._piece_at(self._found(self.received().rfind(text), text))]

    def count_with_first(self, text: bytes) -> int:
        """Count the occurrences that came with the very first, in the same piece."""
        received = self.received()
        piece = self._piece_at(self._found(received.find(text), text))
        return received.count(text, 0, sum(map(len, self.pieces[: piece + 1])))

    def _add(self, piece: bytes) -> None:
        self.times.append(time.perf_counter())
        self.pieces.append(piece)
        self.ended = self.ended or self._end in self._tail + piece
        self._tail = (self._tail + piece)[-len(self._end) :]

    def _piece_at(self, offset: int) -> int:
        return bisect_right(list(accumulate(map(len, self.pieces))), offset)

    def _found(self, offset: int, text: bytes) -> int:
        if offset < 0:
            raise EventsLost(f"{text!r} never came.")
        return offset


def drain(streams: Collection[Stream], *, seconds: float = 60) -> None:
    """Receive until every stream has seen its end.

    Raises:
        EventsLost: one of them did not in time.
    """
    buffer = bytearray(_BUFFER)
    open_streams = {stream.wire.fileno(): stream for stream in streams}
    deadline = time.monotonic() + seconds
    with select.epoll() as poll:
        for number in open_streams:
            poll.register(number, select.EPOLLIN)
        while open_streams:
            ready = poll.poll(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise EventsLost(f"{len(open_streams)} of {len(streams)} streams did not end within {seconds} s.")
            for number, _ in ready:
                if open_streams[number].take(buffer):
                    poll.unregister(number)
                    del open_streams[number]


def check_numbers(received: bytes, epoch: str, first: int) -> int:
    """Return how many events these bytes hold.

    Raises:
        EventsLost: they are not numbered from `first` on without a hole, a repetition or a change of epoch.
    """
    expected = first
    # The first frame of a stream has no line before it.
    for match in _ID.finditer(b"\n" + received):
        if (match[1].decode(), int(match[2])) != (epoch, expected):
            raise EventsLost(f"Expected event {epoch}.{expected}, and {match[1].decode()}.{int(match[2])} came.")
        expected += 1
    return expected - first
