"""P5: readers that join a run at any moment, and some that resume inside of what was stored at once."""

import random
import select
import time
from functools import partial
from typing import Final

from benchmarks.plan import Plan
from benchmarks.rounds import Figures, interleave
from benchmarks.row import Row
from benchmarks.scenarios.target import Target, durable_targets
from benchmarks.scenarios.token_stream import COMPLETED
from benchmarks.stream import EventsLost, Stream
from benchmarks.wire import Opened, get, open_feed, post
from events import sse
from events.position import Position

_RESUMES: Final = 20
_SEED: Final = 7
_RATE: Final = 2_000
_BETWEEN_EVENTS: Final = b',{"version":"1.0",'
_END: Final = b"\n\n\r\n"


def joiners(plan: Plan) -> list[Row]:
    """P5: all of them get the log's bytes."""
    rng = random.Random(_SEED)
    with durable_targets(plan.folder, "paced") as targets:
        joining = partial(join_anywhere, targets["paced"], rng, plan.joiners, max(100, int(plan.seconds * _RATE)))
        found = interleave(plan.rounds, {"paced": joining})
    equal, joined, late = (sum(found.samples["paced"][name]) for name in ("equal", "joined", "midway"))
    return [
        Row(
            id="P5",
            scenario=f"{plan.joiners} readers that join a run, {_RESUMES} that resume anywhere in it, each round",
            subject=f"{equal:.0f} of {joined:.0f} got the log byte for byte, {late:.0f} of them joined midway",
            calibration="GET events",
            ratio=equal / joined,
            goal="all, byte for byte",
            met=equal == joined,
            load=found.load,
            samples=found.samples,
            asserted=True,
        )
    ]


class _Joined(Stream):
    """One that has joined, and what it got."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened.socket, COMPLETED, began=opened.rest)
        self.place = opened.place

    def frames(self) -> bytes:
        """Return the frames without HTTP's chunks, once the last chunk is whole."""
        buffer = bytearray(1 << 16)
        while not self.received().endswith(_END):
            self.take(buffer)
        # What is left of the opening's own chunk goes before the first.
        rest, frames = self.received().partition(b"\r\n")[2], []
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            frames.append(rest[: int(size, 16)])
            rest = rest[int(size, 16) + 2 :]
        return b"".join(frames)


def join_anywhere(target: Target, rng: random.Random, readers: int, tokens: int) -> Figures:
    """Have a run watched; return how many joined, how many of these midway, and how many got the log's bytes.

    Raises:
        EventsLost: a stream did not end.
    """
    branch, seconds = target.new_branch(), tokens / _RATE
    began = time.monotonic()
    moments = sorted(began + rng.uniform(0, seconds) for _ in range(readers + _RESUMES))
    resumes = set(rng.sample(range(1, len(moments)), min(_RESUMES, len(moments) - 1)))
    post(target.port, target.inputs_path(branch), {"text": f"{tokens} {_RATE} {began} 1"})
    joined = _join(target, branch, rng, moments, resumes)
    lines = _log(target, branch)
    first = min(each.place.seq for each in joined)
    equal = sum(each.frames() == _expected(each.place, lines) for each in joined)
    for each in joined:
        each.wire.close()
    midway = sum(first < each.place.seq < len(lines) - 1 for each in joined)
    return {"joined": len(joined), "midway": midway, "equal": equal}


def _join(target: Target, branch: str, rng: random.Random, moments: list[float], resumes: set[int]) -> list[_Joined]:
    """Return those that joined before the run had ended, once all of them have seen its end."""
    joined: list[_Joined] = []
    reading: dict[int, _Joined] = {}
    buffer, ended = bytearray(1 << 18), False
    deadline = moments[-1] + 60
    with select.epoll() as poll:
        while reading or not ended:
            if not ended and len(joined) < len(moments) and time.monotonic() >= moments[len(joined)]:
                after = _somewhere(rng, joined) if len(joined) in resumes else ""
                reader = _Joined(open_feed(target.port, target.feed_path(branch) + after))
                joined.append(reader)
                # One that comes late may have read the end together with the opening.
                ended = ended or reader.ended
                if not reader.ended:
                    reading[reader.wire.fileno()] = reader
                    poll.register(reader.wire.fileno(), select.EPOLLIN)
            for number, _ in poll.poll(0.001):
                if reading[number].take(buffer):
                    poll.unregister(number)
                    del reading[number]
                    ended = True
            if ended and reading:
                _dismiss(joined, reading, len(_log(target, branch)))
            if time.monotonic() > deadline:
                raise EventsLost(f"{len(reading)} of {len(joined)} streams did not end.")
    return joined


def _dismiss(joined: list[_Joined], reading: dict[int, _Joined], head: int) -> None:
    """Leave out those that came when all had been said."""
    for number, reader in list(reading.items()):
        if reader.place.seq >= head:
            reader.wire.close()
            joined.remove(reader)
            del reading[number]


def _somewhere(rng: random.Random, joined: list[_Joined]) -> str:
    """Return a place in what the last one to join found, most likely inside of a row."""
    head = max(each.place for each in joined)
    return f"?after={Position(head.epoch, rng.randint(1, head.seq))}"


def _log(target: Target, branch: str) -> list[bytes]:
    body = get(target.port, f"{target.feed_path(branch).removesuffix('/live')}")
    first, *others = body[1:-1].split(_BETWEEN_EVENTS)
    return [first, *(_BETWEEN_EVENTS[1:] + other for other in others)]


def _expected(place: Position, lines: list[bytes]) -> bytes:
    return b"".join(sse.frames(Position(place.epoch, place.seq + 1), lines[place.seq :]))
