"""Many readers in one process that note when each piece came; events that say when they were made give latencies."""

import gc
import re
from collections.abc import Sequence
from typing import Final, Self

from benchmarks.stream import Stream, check_numbers, drain
from benchmarks.wire import Opened, open_feed
from events.position import Position

_MADE: Final = re.compile(rb'"text":"(\d+) (?:tok|end)"')


class Audience:
    """Open readers of these feeds; `with` closes them."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        self._feeds: list[Opened] = [open_feed(port, path) for path in paths]
        self._heads: list[int] = [feed.place.seq for feed in self._feeds]
        self.place: Position = self._feeds[0].place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for feed in self._feeds:
            feed.socket.close()

    def listen(self, end: bytes, epoch: str | None, *, seconds: float) -> list[int]:
        """Read until every reader has seen the end, and return the latencies in nanoseconds.

        `epoch` is what the events are numbered under when it is not their branch's own.

        Raises:
            EventsLost: a reader did not see the end in time, or missed an event on the way.
        """
        streams = [Stream(feed.socket, end) for feed in self._feeds]
        # What is kept only grows, and looking through it again and again would count as the server's latency.
        gc.disable()
        try:
            drain(streams, seconds=seconds)
        finally:
            gc.enable()
        latencies: list[int] = []
        for index, (feed, stream) in enumerate(zip(self._feeds, streams, strict=True)):
            self._heads[index] += check_numbers(stream.received(), epoch or feed.place.epoch, self._heads[index] + 1)
            latencies += _latencies(stream)
        return latencies


def _latencies(stream: Stream) -> list[int]:
    found: list[int] = []
    matches = _MADE.finditer(stream.received())
    # One way through both: looking each event up among the pieces would take longer than the measurement.
    end, piece = len(stream.pieces[0]), 0
    for match in matches:
        while match.end() > end:
            piece += 1
            end += len(stream.pieces[piece])
        found.append(int(stream.times[piece] * 1e9) - int(match[1]))
    return found
