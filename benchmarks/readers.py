"""Readers in processes of their own, so that reading is not what is measured; `python -m benchmarks.readers` is one."""

import resource
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal, Self

import psutil

from benchmarks.audience import Audience
from benchmarks.crowd import Crowd, Delivery
from benchmarks.stream import EventsLost
from benchmarks.talk import ToldProcess, answer_orders
from events.position import Position

_MODULE = "benchmarks.readers"
_FILES = 16_384
Kind = Literal["count", "listen"]


@dataclass(frozen=True, slots=True)
class _Order:
    """What a process of readers is to do, and with what: the members that belong to it."""

    do: Literal["open", "count", "listen"]
    kind: Kind = "count"
    port: int = 0
    paths: tuple[str, ...] = ()
    server: int = 0
    events: int = 0
    end: str = ""
    epoch: str | None = None
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of it; `lost` says what went wrong."""

    place: str = ""
    delivery: Delivery | None = None
    latencies: tuple[int, ...] = ()
    lost: str = ""


class Readers:
    """Readers of these feeds, spread over processes; `with` opens and closes them."""

    def __init__(self, port: int, paths: Sequence[str], *, processes: int, kind: Kind) -> None:
        self._orders = [
            _Order("open", kind=kind, port=port, paths=tuple(paths[index::processes]))
            for index in range(min(processes, len(paths)))
        ]
        self._processes: list[ToldProcess] = []
        self._stack = ExitStack()
        self.place = Position("", 0)

    def __enter__(self) -> Self:
        try:
            self._processes = [self._stack.enter_context(ToldProcess(_MODULE)) for _ in self._orders]
            answers = [
                self._asked(process, order) for process, order in zip(self._processes, self._orders, strict=True)
            ]
        except BaseException:
            self._stack.close()
            raise
        place = Position.parse(answers[0].place)
        assert place is not None
        self.place = place
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def count(self, events: int, server: int, publish: Callable[[], object]) -> Delivery:
        """Have something published, and read until every reader has so many events more.

        Raises:
            EventsLost: a reader got fewer or more, or others than expected.
        """
        answers = self._all(_Order("count", server=server, events=events), publish)
        self.place = Position(self.place.epoch, self.place.seq + events)
        found = [answer.delivery for answer in answers if answer.delivery is not None]
        first, last = min(found, key=lambda each: each.began), max(found, key=lambda each: each.ended)
        return Delivery(
            sum(each.events for each in found),
            first.began,
            last.ended,
            first.cpu_began,
            last.cpu_ended,
            min(each.events_per_write for each in found),
        )

    def listen(self, end: bytes, publish: Callable[[], object], *, epoch: str | None = None) -> list[float]:
        """Have something published, read until every reader has seen the end, and return the latencies, sorted.

        Raises:
            EventsLost: a reader missed an event.
        """
        answers = self._all(_Order("listen", end=end.decode(), epoch=epoch), publish)
        return sorted(each / 1e9 for answer in answers for each in answer.latencies)

    def _all(self, order: _Order, publish: Callable[[], object]) -> list[_Answer]:
        for process in self._processes:
            process.tell(order)
        publish()
        answers: list[_Answer] = [process.hear(_Answer) for process in self._processes]
        for answer in answers:
            if answer.lost:
                raise EventsLost(answer.lost)
        return answers

    def _asked(self, process: ToldProcess, order: _Order) -> _Answer:
        process.tell(order)
        answer: _Answer = process.hear(_Answer)
        return answer


class _Reading:
    """One process's readers."""

    def __init__(self) -> None:
        self._crowd: Crowd | None = None
        self._audience: Audience | None = None

    def answer(self, order: _Order) -> _Answer:
        try:
            if order.do == "open":
                return self._open(order)
            return self._count(order) if order.do == "count" else self._listen(order)
        except EventsLost as lost:
            return _Answer(lost=str(lost))

    def _open(self, order: _Order) -> _Answer:
        opened: Crowd | Audience
        if order.kind == "count":
            opened = self._crowd = Crowd(order.port, order.paths)
        else:
            opened = self._audience = Audience(order.port, order.paths)
        return _Answer(place=str(opened.place))

    def _count(self, order: _Order) -> _Answer:
        assert self._crowd is not None
        server = psutil.Process(order.server)
        return _Answer(delivery=self._crowd.read(order.events, lambda: cpu_seconds(server), seconds=order.seconds))

    def _listen(self, order: _Order) -> _Answer:
        assert self._audience is not None
        found = self._audience.listen(order.end.encode(), order.epoch, seconds=order.seconds)
        return _Answer(latencies=tuple(found))


def cpu_seconds(process: psutil.Process) -> float:
    """Return the processor time that a process has taken so far, all threads, in the kernel and outside."""
    times: Any = process.cpu_times()
    return float(times.user + times.system)


def allow_many_files() -> None:
    """Let this process, and those that it starts, hold thousands of connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    answer_orders(_Order, _Reading().answer)
