"""Workers that feed what their agents say, in a process of their own; `python -m benchmarks.feeders` is one."""

import heapq
import select
import time
from dataclasses import dataclass
from typing import Final, Self

from benchmarks.stream import EventsLost
from benchmarks.talk import ToldProcess, answer_orders
from benchmarks.wire import connect, post_bytes, read_answer

_MODULE = "benchmarks.feeders"
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Order:
    """Feed so many batches of so many frames to each session, so often a second, from a moment on."""

    port: int
    sessions: tuple[str, ...]
    token: str
    turn: str
    batches: int
    frames: int
    every_seconds: float
    starts: float


@dataclass(frozen=True, slots=True)
class _Fed:
    """How long the answers took, in nanoseconds; `lost` says what went wrong."""

    answered: tuple[int, ...] = ()
    lost: str = ""


class Feeders:
    """Feeds sessions of one worker, each by a connection that is kept; `with` starts and ends the process."""

    def __init__(self, port: int, sessions: list[str], token: str) -> None:
        self._place = (port, tuple(sessions), token)
        self._process = ToldProcess(_MODULE)

    def __enter__(self) -> Self:
        self._process.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.__exit__()

    def begin(self, turn: str, *, batches: int, frames: int, every_seconds: float, starts: float) -> None:
        """Begin to feed a turn; every frame says when its batch was sent, and the last one that it is the end."""
        self._process.tell(_Order(*self._place, turn, batches, frames, every_seconds, starts))

    def end(self) -> list[float]:
        """Wait until all is answered, and return how many seconds each answer took, sorted.

        Raises:
            EventsLost: a batch was not taken whole.
        """
        fed: _Fed = self._process.hear(_Fed)
        if fed.lost:
            raise EventsLost(fed.lost)
        return sorted(each / 1e9 for each in fed.answered)


class _Feeder:
    """Feeds one session: a batch when it is due and the one before it is answered, as clients do."""

    def __init__(self, order: _Order, index: int) -> None:
        self.wire = connect(order.port)
        self._order = order
        self._path = f"/api/sessions/{order.sessions[index]}/token-delta"
        # Each at another moment of the period.
        self._first = order.starts + index * order.every_seconds / len(order.sessions)
        self._sent_at = 0
        self.sent = 0
        self.answered: list[int] = []

    @property
    def due(self) -> float:
        """When the next batch is to be sent."""
        return self._first + self.sent * self._order.every_seconds

    def send(self) -> None:
        order = self._order
        is_last = self.sent == order.batches - 1
        self._sent_at = time.monotonic_ns()
        words = ["tok"] * (order.frames - 1) + ["end" if is_last else "tok"]
        frames = [
            {"index": self.sent * order.frames + at, "text": f"{self._sent_at} {word}", "done": False}
            for at, word in enumerate(words)
        ]
        body = {"turnId": order.turn, "frames": frames}
        request = post_bytes(self._path, body)
        head = f"\r\nAuthorization: Bearer {order.token}\r\nContent-Type".encode()
        self.wire.sendall(request.replace(b"\r\nContent-Type", head, 1))
        self.sent += 1

    def hear(self) -> bool:
        """Take the answer; True when there is more to send."""
        answer = read_answer(self.wire)
        if answer != (200, b'{"published":%d}' % self._order.frames):
            raise EventsLost(f"A batch of {self._order.frames} frames was answered with {answer!r:.300}.")
        self.answered.append(time.monotonic_ns() - self._sent_at)
        return self.sent < self._order.batches


def _feed(order: _Order) -> _Fed:
    feeders = [_Feeder(order, index) for index in range(len(order.sessions))]
    try:
        _feed_all({feeder.wire.fileno(): feeder for feeder in feeders})
    except (EventsLost, OSError) as error:
        return _Fed(lost=str(error))
    finally:
        for feeder in feeders:
            feeder.wire.close()
    return _Fed(tuple(each for feeder in feeders for each in feeder.answered))


def _feed_all(feeders: dict[int, _Feeder]) -> None:
    due = [(feeder.due, number) for number, feeder in feeders.items()]
    heapq.heapify(due)
    unanswered: set[int] = set()
    with select.epoll() as poll:
        for number in feeders:
            poll.register(number, select.EPOLLIN)
        while due or unanswered:
            now = time.monotonic()
            while due and due[0][0] <= now:
                _, number = heapq.heappop(due)
                feeders[number].send()
                unanswered.add(number)
            ready = poll.poll(max(0.0, due[0][0] - time.monotonic()) if due else _PATIENCE_SECONDS)
            if not ready and not due:
                raise EventsLost(f"{len(unanswered)} batches were not answered.")
            for number, _ in ready:
                unanswered.discard(number)
                if feeders[number].hear():
                    heapq.heappush(due, (feeders[number].due, number))


if __name__ == "__main__":
    answer_orders(_Order, _feed)
