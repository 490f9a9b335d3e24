"""P3b: two hundred runs that write at the pace of models, every event durable before it is seen."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.disk import percentile
from benchmarks.plan import Plan
from benchmarks.readers import Readers
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, milliseconds, percent
from benchmarks.scenarios.target import Target, durable_targets
from benchmarks.scenarios.token_stream import COMPLETED
from benchmarks.wire import connect, post_bytes, read_answer

_RATE: Final = 50
_PLENTY: Final = 0.02
_NAMES: Final = {"paced": "Branchline", "bare": "sqlite3 thread + bare ASGI"}


@dataclass(slots=True)
class _Stage:
    """A server with branches to run on, and their readers."""

    target: Target
    branches: list[str]
    readers: Readers
    patience: float
    """How many seconds the starts are given; the first time, which does not count, plenty."""

    def run(self, tokens: int) -> Figures:
        """Have a run on every branch say so many words; return the latencies from saying to seeing, in seconds."""
        usage: list[float] = []

        def begin() -> None:
            self._begin(tokens)
            usage.append(self.target.server.cpu_seconds())

        latencies = self.readers.listen(COMPLETED, begin)
        spent = self.target.server.cpu_seconds() - usage[0]
        return {
            "p50": percentile(latencies, 0.5),
            "p99": percentile(latencies, 0.99),
            "core": spent / (tokens / _RATE),
            "per core": len(latencies) / max(spent, 0.001),
        }

    def _begin(self, tokens: int) -> None:
        # All are there before the first of them speaks: what the starts cost is P1's and P3's matter.
        began = time.monotonic()
        starts = began + self.patience
        period = 1 / _RATE / len(self.branches)
        with connect(self.target.port) as wire:
            for index, branch in enumerate(self.branches):
                text = f"{tokens} {_RATE} {starts + index * period} 1"
                wire.sendall(post_bytes(self.target.inputs_path(branch, "paced"), {"text": text}))
                assert read_answer(wire).status == 202
        self.patience = 0.2 + 1.5 * (time.monotonic() - began)
        time.sleep(max(0.0, starts - time.monotonic()))


def paced_runs(plan: Plan) -> list[Row]:
    """P3b: 50 words a second each."""
    tokens = max(1, int(plan.seconds * _RATE))
    with _stages(plan) as stages:
        found = interleave(plan.rounds, {name: partial(stage.run, tokens) for name, stage in stages.items()})
    latencies = {label: (found.median(name, "p50"), found.median(name, "p99")) for name, label in _NAMES.items()}
    p50, p99 = latencies["Branchline"]
    return [
        Row(
            id="P3b",
            scenario=f"{plan.paced_runs} runs at {_RATE} tokens/s, from saying to seeing, p50 / p99",
            subject=_shown(found, "paced"),
            calibration=f"sqlite3 thread + bare ASGI {_shown(found, 'bare')}",
            ratio=found.ratio("p50", "paced", "bare"),
            goal="<= 4 / 20 ms, <= 80 % of a core",
            met=p50 <= 0.004 and p99 <= 0.020 and found.median("paced", "core") <= 0.8,
            load=found.load,
            samples=found.samples,
            latencies=latencies,
        )
    ]


@contextmanager
def _stages(plan: Plan) -> Iterator[dict[str, _Stage]]:
    with ExitStack() as stack:
        stages = {}
        for name, target in stack.enter_context(durable_targets(plan.folder, "paced")).items():
            branches = [target.new_branch() for _ in range(plan.paced_runs)]
            paths = [target.feed_path(branch) for branch in branches]
            readers = Readers(target.port, paths, processes=plan.processes, kind="listen")
            stages[name] = _Stage(target, branches, stack.enter_context(readers), _PLENTY * len(branches))
        yield stages


def _shown(found: Comparison, program: str) -> str:
    p50, p99, core = (found.median(program, name) for name in ("p50", "p99", "core"))
    return f"{milliseconds(p50, p99)}, {percent(core)} of a core"
