"""W1: a thousand tokens a second that workers relay for fifty sessions, beside the same from an agent in the server."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Final

from benchmarks.disk import percentile
from benchmarks.feeders import Feeders
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.readers import Readers
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, milliseconds, percent
from benchmarks.scenarios.claimed import claimed, worker_agent
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.scenarios.target import Target
from benchmarks.scenarios.token_stream import COMPLETED
from benchmarks.stream import EventsLost
from benchmarks.tokens import END
from benchmarks.wire import connect, post_bytes, read_answer

_RATE: Final = 1_000
_EVERY_SECONDS: Final = 0.1
"""How long clients gather what their agents say."""
_GOAL: Final = 3.0
_STARTS_IN_SECONDS: Final = 0.3


@dataclass(slots=True)
class _Local:
    """Agents in the server that say in each period what a worker would relay in it."""

    target: Target
    branches: list[str]
    readers: Readers

    def run(self, batches: int, frames: int) -> Figures:
        """Return the latencies from saying to seeing, in seconds."""
        expected = batches * frames * len(self.branches)
        return _measured(self.target, self.readers, COMPLETED, lambda: self._begin(batches, frames), expected, batches)

    def _begin(self, batches: int, frames: int) -> None:
        starts = time.monotonic() + 4 * _STARTS_IN_SECONDS
        with connect(self.target.port) as wire:
            for index, branch in enumerate(self.branches):
                at = starts + index * _EVERY_SECONDS / len(self.branches)
                text = f"{batches} {1 / _EVERY_SECONDS} {at} {frames}"
                wire.sendall(post_bytes(self.target.inputs_path(branch), {"text": text}))
                assert read_answer(wire).status == 202
        time.sleep(max(0.0, starts - time.monotonic()))


@dataclass(slots=True)
class _Relayed:
    """Runs that a worker has, each in one run for all rounds: a round is a turn."""

    target: Target
    sessions: int
    feeders: Feeders
    readers: Readers
    turns: Iterator[int] = field(default_factory=count)

    def run(self, batches: int, frames: int) -> Figures:
        """Return the latencies from sending to seeing, in seconds."""
        expected = batches * frames * self.sessions
        figures = _measured(self.target, self.readers, END, lambda: self._begin(batches, frames), expected, batches)
        answered = self.feeders.end()
        return {**figures, "answered p50": percentile(answered, 0.5), "answered p95": percentile(answered, 0.95)}

    def _begin(self, batches: int, frames: int) -> None:
        starts = time.monotonic() + _STARTS_IN_SECONDS
        turn = f"turn-{next(self.turns)}"
        self.feeders.begin(turn, batches=batches, frames=frames, every_seconds=_EVERY_SECONDS, starts=starts)
        time.sleep(_STARTS_IN_SECONDS)


def relay(plan: Plan) -> list[Row]:
    """W1: what a detour by a worker costs, from its POST to the reader's socket."""
    frames = max(1, round(_RATE * _EVERY_SECONDS / plan.relayed_sessions))
    batches = max(2, int(plan.seconds / _EVERY_SECONDS))
    with _stages(plan) as stages:
        programs = {name: partial(stage.run, batches, frames) for name, stage in stages.items()}
        found = interleave(plan.rounds, programs)
    worst = max(found.ratio(figure, "relayed", "local") for figure in ("p50", "p95"))
    names = {"relayed": "relayed by a worker", "local": "an agent in the server"}
    rate = round(frames * plan.relayed_sessions / _EVERY_SECONDS)
    return [
        Row(
            id="W1",
            scenario=f"{plan.relayed_sessions} sessions, {rate} tokens/s by {frames}, to the reader, p50 / p95",
            subject=f"relayed {_shown(found, 'relayed')}",
            calibration=f"an agent in the server {_shown(found, 'local')}",
            ratio=worst,
            goal=f"<= {_GOAL:.0f}x, 0 lost",
            met=worst <= _GOAL,
            load=found.load,
            samples=found.samples,
            asserted=True,
            latencies={label: (found.median(name, "p50"), found.median(name, "p99")) for name, label in names.items()},
        )
    ]


def _measured(
    target: Target, readers: Readers, end: bytes, begin: Callable[[], None], expected: int, batches: int
) -> Figures:
    usage: list[float] = []

    def begin_counting() -> None:
        begin()
        usage.append(target.server.cpu_seconds())

    latencies = readers.listen(end, begin_counting)
    spent = target.server.cpu_seconds() - usage[0]
    if len(latencies) != expected:
        raise EventsLost(f"{expected} tokens were said, and {len(latencies)} came.")
    return {
        **{f"p{share}": percentile(latencies, share / 100) for share in (50, 95, 99)},
        "core": spent / (batches * _EVERY_SECONDS),
    }


@contextmanager
def _stages(plan: Plan) -> "Iterator[dict[str, _Local | _Relayed]]":
    with ExitStack() as stack:
        folder = stack.enter_context(empty_folder(plan.folder))
        server = stack.enter_context(ServerProcess("subject", sqlite_url(folder)))

        def read(target: Target, branches: list[str]) -> Readers:
            paths = [target.feed_path(branch) for branch in branches]
            readers = Readers(target.port, paths, processes=plan.processes, kind="listen")
            return stack.enter_context(readers)

        local = Target(server, "paced")
        branches = [local.new_branch() for _ in range(plan.relayed_sessions)]
        worker = Target(server, worker_agent(server.port))
        theirs = [worker.new_branch() for _ in range(plan.relayed_sessions)]
        token, sessions = claimed(worker, theirs)
        feeders = stack.enter_context(Feeders(server.port, sessions, token))
        yield {
            "local": _Local(local, branches, read(local, branches)),
            "relayed": _Relayed(worker, len(theirs), feeders, read(worker, theirs)),
        }


def _shown(found: Comparison, program: str) -> str:
    p50, p95, core = (found.median(program, name) for name in ("p50", "p95", "core"))
    return f"{milliseconds(p50, p95)}, {percent(core)} of a core"
