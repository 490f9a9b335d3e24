"""P1: from an input to the first event at its reader, beside what the disk and HTTP take by themselves."""

import socket
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.disk import fdatasync_seconds, percentile
from benchmarks.plan import Plan
from benchmarks.rounds import Comparison, Figures, Program, interleave
from benchmarks.row import Row, milliseconds
from benchmarks.scenarios.target import Target, durable_targets
from benchmarks.scenarios.token_stream import TOKEN, TokenStream
from benchmarks.stream import Stream, drain
from benchmarks.wire import connect, post_bytes, read_answer

_WAYS: Final = {
    "event": "POST sent to first event",
    "token": "POST sent to first token",
    "answer": "202 seen to first token",
}
_EVENT: Final = b"\ndata: "
_SYNCS: Final = 200


@dataclass(slots=True)
class _Timings:
    """The durations of one round, by way."""

    event: list[float]
    token: list[float]
    answer: list[float]

    def figures(self) -> Figures:
        return {
            f"{way} {name}": percentile(sorted(getattr(self, way)), share)
            for way in _WAYS
            for name, share in (("p50", 0.5), ("p95", 0.95))
        }


def first_event(plan: Plan) -> list[Row]:
    """Measure inputs one after another on one branch."""
    with durable_targets(plan.folder, "author") as targets:
        programs: dict[str, Program] = {
            name: partial(answer_inputs, target, plan.inputs) for name, target in targets.items()
        }
        programs["disk"] = lambda: _disk(plan)
        programs["http"] = partial(_round_trips, targets["bare"].port, plan.inputs)
        found = interleave(plan.rounds, programs)
    return [_row(found, way) for way in _WAYS]


def answer_inputs(target: Target, inputs: int) -> Figures:
    """Send inputs, each when the run before has ended; return seconds.

    Raises:
        EventsLost: a run did not show all of its events, in order.
    """
    timings = _Timings([], [], [])
    branch = target.new_branch()
    request = post_bytes(target.inputs_path(branch), {"text": "1"})
    with connect(target.port) as wire:
        for _ in range(inputs):
            _answer_one(target, branch, wire, request, timings)
    return timings.figures()


def _answer_one(target: Target, branch: str, wire: socket.socket, request: bytes, timings: _Timings) -> None:
    stream = TokenStream(target, branch)
    answer = Stream(wire, b"}")
    began = time.perf_counter()
    wire.sendall(request)
    drain([stream, answer])
    stream.close()
    stream.check(1)
    token = stream.first(TOKEN)
    timings.event.append(stream.first(_EVENT) - began)
    timings.token.append(token - began)
    # The first token may well overtake the answer.
    timings.answer.append(max(0.0, token - answer.times[0]))


def _round_trips(port: int, count: int) -> Figures:
    request = post_bytes("/echo", {"text": "1"})
    taken = []
    with connect(port) as wire:
        for _ in range(count):
            began = time.perf_counter()
            wire.sendall(request)
            read_answer(wire)
            taken.append(time.perf_counter() - began)
    taken.sort()
    return {"p50": percentile(taken, 0.5), "p95": percentile(taken, 0.95)}


def _disk(plan: Plan) -> Figures:
    taken = fdatasync_seconds(plan.folder, _SYNCS)
    return {"p50": percentile(taken, 0.5), "p95": percentile(taken, 0.95)}


def _row(found: Comparison, way: str) -> Row:
    p50, p95 = (found.median("author", f"{way} {name}") for name in ("p50", "p95"))
    bare = [found.median("bare", f"{way} {name}") for name in ("p50", "p95")]
    disk = [found.median("disk", name) for name in ("p50", "p95")]
    http = [found.median("http", name) for name in ("p50", "p95")]
    limits = (0.003 + 2 * disk[0], 0.008 + 3 * disk[1])
    return Row(
        id="P1",
        scenario=f"{_WAYS[way]}, p50 / p95",
        subject=milliseconds(p50, p95),
        calibration=f"sqlite3 thread + bare ASGI {milliseconds(*bare)}; "
        f"fdatasync {milliseconds(*disk)}; bare POST {milliseconds(*http)}",
        ratio=p50 / bare[0] if bare[0] else None,
        goal=f"<= {milliseconds(*limits)}",
        met=p50 <= limits[0] and p95 <= limits[1],
        load=found.load,
        samples=found.samples,
    )
