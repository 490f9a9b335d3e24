"""R1: what choosing a provider adds to a request: beside a route that does nothing, and asks nobody who it is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from typing import Final

from benchmarks.disk import percentile
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, milliseconds
from benchmarks.scenarios.claimed import claimed, worker_agent
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.scenarios.target import Target
from benchmarks.stream import EventsLost
from benchmarks.wire import connect, post_bytes, read_answer

_NOTHING: Final = "/healthz"
_SELECT: Final = "/api/sessions/{}/routing-select"
_BODY: Final = {"workType": "interview", "candidates": ["claude", "codex", "amp"]}
_GOAL_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class _Stage:
    """A server, and the requests that are sent to it: one to choose for each session, and one for nothing."""

    port: int
    select: list[bytes]
    nothing: list[bytes]


def routing_select(plan: Plan) -> list[Row]:
    """R1: select, session after session, and what is left of it without what the route takes that does nothing."""
    with _stage(plan) as stage:
        programs = {
            "select": partial(_ask, stage.port, stage.select, plan.selects, b'"mab-routing"'),
            "nothing": partial(_ask, stage.port, stage.nothing, plan.selects, b"{"),
        }
        found = interleave(plan.rounds, programs)
    adds = found.median("select", "p50") - found.median("nothing", "p50")
    return [
        Row(
            id="R1",
            scenario=f"routing-select of {len(stage.select)} sessions, one after the other, p50 / p95",
            subject=f"select {_shown(found, 'select')}, {milliseconds(adds)} more at p50",
            calibration=f"a route that does nothing {_shown(found, 'nothing')}",
            ratio=found.ratio("p50", "select", "nothing"),
            goal=f"<= {_GOAL_SECONDS * 1000:.0f} ms more",
            met=adds <= _GOAL_SECONDS,
            load=found.load,
            samples=found.samples,
        )
    ]


def _ask(port: int, requests: list[bytes], count: int, wanted: bytes) -> Figures:
    """Send requests, each when the one before is answered; return seconds.

    Raises:
        EventsLost: one is answered otherwise than it must be.
    """
    taken = []
    with connect(port) as wire:
        for request in islice(cycle(requests), count):
            began = time.perf_counter()
            wire.sendall(request)
            answer = read_answer(wire)
            taken.append(time.perf_counter() - began)
            if answer.status != 200 or wanted not in answer.body:
                raise EventsLost(f"{request[:80]!r} was answered with {answer!r:.300}.")
    taken.sort()
    return {"p50": percentile(taken, 0.5), "p95": percentile(taken, 0.95)}


@contextmanager
def _stage(plan: Plan) -> Iterator[_Stage]:
    with empty_folder(plan.folder) as folder, ServerProcess("subject", sqlite_url(folder)) as server:
        target = Target(server, worker_agent(server.port))
        token, sessions = claimed(target, [target.new_branch() for _ in range(plan.routed_sessions)])
        shown = f"\r\nAuthorization: Bearer {token}".encode()
        nothing = f"GET {_NOTHING} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        select = [
            post_bytes(_SELECT.format(each), _BODY).replace(b"\r\nContent-Type", shown + b"\r\nContent-Type", 1)
            for each in sessions
        ]
        yield _Stage(server.port, select, [nothing])


def _shown(found: Comparison, program: str) -> str:
    return milliseconds(found.median(program, "p50"), found.median(program, "p95"))
