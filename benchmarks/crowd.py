"""Many readers of one feed in one process: it counts what comes and looks closely at one of them."""

import re
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from benchmarks.stream import EventsLost, check_numbers
from benchmarks.wire import open_feed
from events.position import Position

_BUFFER: Final = 1 << 18
_EVENT: Final = b"\ndata: "
_KEPT: Final = len(_EVENT) - 1
_WRITE = re.compile(rb"(?:^|\r\n)[0-9a-f]+\r\n")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one round delivered, from the first piece to the last: on the clock, and of the server's processor."""

    events: int
    began: float
    ended: float
    cpu_began: float
    cpu_ended: float
    events_per_write: float


class Crowd:
    """Open readers of these feeds, all of which are to get the same events; `with` closes them."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        opened = [open_feed(port, path) for path in paths]
        self.place: Position = opened[0].place
        self._wires: dict[int, socket.socket] = {}
        for feed in opened:
            feed.socket.setblocking(False)
            self._wires[feed.socket.fileno()] = feed.socket
        self._watched = opened[0].socket.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for wire in self._wires.values():
            wire.close()

    def read(self, events: int, cpu: Callable[[], float], *, seconds: float = 120) -> Delivery:
        """Read until every reader has so many events more.

        Raises:
            EventsLost: a reader got fewer or more in time, or the watched one others than expected.
        """
        missing = dict.fromkeys(self._wires, events)
        tails = dict.fromkeys(self._wires, b"")
        watched: list[bytes] = []
        buffer = bytearray(_BUFFER)
        deadline = time.monotonic() + seconds
        began = cpu_began = 0.0
        waiting = len(missing)
        with select.epoll() as poll:
            for number in missing:
                poll.register(number, select.EPOLLIN)
            while waiting:
                ready = poll.poll(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise EventsLost(
                        f"{waiting} of {len(missing)} readers miss {max(missing.values())} events at most."
                    )
                if not began:
                    began, cpu_began = time.perf_counter(), cpu()
                for number, _ in ready:
                    count = self._wires[number].recv_into(buffer)
                    if not count:
                        raise EventsLost("The server closed the connection.")
                    # A marker may be cut in two by the pieces; what is kept of one is too short to hold a whole one.
                    seam = tails[number] + buffer[: min(count, _KEPT)]
                    seen = buffer.count(_EVENT, 0, count) + seam.count(_EVENT)
                    tails[number] = bytes((buffer[count - _KEPT : count]) if count >= _KEPT else seam[-_KEPT:])
                    missing[number] -= seen
                    if number == self._watched:
                        watched.append(bytes(buffer[:count]))
                    if seen and missing[number] <= 0:
                        waiting -= 1
        ended, cpu_ended = time.perf_counter(), cpu()
        writes = self._check(missing, b"".join(watched), events)
        self.place = Position(self.place.epoch, self.place.seq + events)
        return Delivery(events * len(missing), began, ended, cpu_began, cpu_ended, events / writes)

    def _check(self, missing: dict[int, int], watched: bytes, events: int) -> int:
        if any(missing.values()):
            raise EventsLost(f"Readers got up to {-min(missing.values())} events too many.")
        if (count := check_numbers(watched, self.place.epoch, self.place.seq + 1)) != events:
            raise EventsLost(f"{events} events were published, and {count} came.")
        return len(_WRITE.findall(watched))
