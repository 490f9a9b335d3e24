"""B4: a reader that has stopped reading, beside others, on a branch where much happens."""

import socket
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.disk import percentile
from benchmarks.plan import Plan
from benchmarks.readers import Readers
from benchmarks.rounds import Figures, interleave
from benchmarks.row import Row, milliseconds
from benchmarks.scenarios.target import Target, durable_targets
from benchmarks.scenarios.token_stream import COMPLETED
from benchmarks.wire import connect, post

_READERS: Final = 2
_BURSTS: Final = 500
"""Bursts a second: event loops do not sleep for less than a millisecond."""
_MIB: Final = 1 << 20
_MOST_GROWTH: Final = 8 * _MIB
_MOST_CHANGE: Final = 1.2
_TIE: Final = 0.001
"""Timers tick by the millisecond: what is nearer than that is the same."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A branch that runs stream on, and its readers."""

    target: Target
    branch: str
    readers: Readers
    words: int
    seconds: float

    def stream(self) -> Figures:
        """Return how long each word took to its readers, in seconds, and by how much the server grew."""
        before = self.target.server.memory()
        text = f"{max(1, int(_BURSTS * self.seconds))} {_BURSTS} {time.monotonic()} {self.words}"
        path = self.target.inputs_path(self.branch)
        latencies = self.readers.listen(COMPLETED, lambda: post(self.target.port, path, {"text": text}))
        return {
            "p50": percentile(latencies, 0.5),
            "p99": percentile(latencies, 0.99),
            "grown": self.target.server.memory() - before,
        }

    def stream_beside_stuck(self) -> Figures:
        """Do it beside a reader that takes nothing."""
        with _stuck(self.target.port, self.target.feed_path(self.branch)):
            return self.stream()


def stuck_reader(plan: Plan) -> list[Row]:
    """B4: with one that is stuck, and without, on the same server."""
    with durable_targets(plan.folder, "paced") as targets:
        target = targets["paced"]
        branch = target.new_branch()
        readers = Readers(target.port, [target.feed_path(branch)] * _READERS, processes=plan.processes, kind="listen")
        with readers:
            scene = _Scene(target, branch, readers, max(1, plan.stuck_rate // _BURSTS), plan.seconds)
            found = interleave(plan.rounds, {"alone": scene.stream, "beside": scene.stream_beside_stuck})
    grown = found.median("beside", "grown")
    alone, beside = ((found.median(name, "p50"), found.median(name, "p99")) for name in ("alone", "beside"))
    unharmed = beside[1] <= max(alone[1] * _MOST_CHANGE, alone[1] + _TIE)
    return [
        Row(
            id="B4",
            scenario=f"{plan.stuck_rate:,} durable events/s beside a stuck reader, p50 / p99 of the others",
            subject=f"{milliseconds(*beside)}, {grown / _MIB:+.1f} MiB",
            calibration=f"without it {milliseconds(*alone)}",
            ratio=beside[1] / alone[1],
            goal="p99 <= 1.2 of it without, <= 8 MiB more",
            met=unharmed and grown <= _MOST_GROWTH,
            load=found.load,
            samples=found.samples,
            latencies={"beside a stuck reader": beside, "without one": alone},
        )
    ]


def _stuck(port: int, path: str) -> socket.socket:
    wire = connect(port)
    # Small, or the kernel would take much of what the server is to get rid of.
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    # Its head has come, so it follows; nothing is taken out.
    wire.recv(1, socket.MSG_PEEK)
    return wire
