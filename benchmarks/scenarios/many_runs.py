"""P3: many runs at once, each with a session and a reader of its own."""

import time
from functools import partial
from typing import Final

from benchmarks.plan import Plan
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, per_second
from benchmarks.scenarios.target import Target, durable_targets
from benchmarks.scenarios.token_stream import TOKEN, TokenStream
from benchmarks.stream import drain
from benchmarks.wire import connect, post_bytes, read_answer

_GOAL: Final = 40_000
_NAMES: Final = {"prepared": "no-op agents", "author": "async generator agents"}


def many_runs(plan: Plan) -> list[Row]:
    """Measure the runs of each face."""
    with durable_targets(plan.folder, *_NAMES) as targets:
        programs = {name: partial(stream_many, target, plan.runs, plan.tokens_each) for name, target in targets.items()}
        found = interleave(plan.rounds * plan.repeats, programs)
    return [_row(found, plan, agent) for agent in _NAMES]


def stream_many(target: Target, runs: int, tokens: int) -> Figures:
    """Stream on new branches at once; return tokens a second in all, from the first POST to the last token anywhere.

    The same from the first token on is only told: it rewards a server that begins late.

    Raises:
        EventsLost: a stream stayed empty, or missed an event.
    """
    branches = [target.new_branch() for _ in range(runs)]
    streams = [TokenStream(target, branch) for branch in branches]
    requests = [post_bytes(target.inputs_path(branch), {"text": str(tokens)}) for branch in branches]
    wires = [connect(target.port) for _ in branches]
    began = time.perf_counter()
    for wire, request in zip(wires, requests, strict=True):
        wire.sendall(request)
    drain(streams)
    for wire, stream in zip(wires, streams, strict=True):
        assert read_answer(wire).status == 202
        wire.close()
        stream.close()
        stream.check(tokens)
    first = min(stream.first(TOKEN) for stream in streams)
    last = max(stream.last(TOKEN) for stream in streams)
    return {"from the POST": runs * tokens / (last - began), "streaming": runs * tokens / max(last - first, 1e-6)}


def _row(found: Comparison, plan: Plan, agent: str) -> Row:
    rate, streaming = (found.median(agent, figure) for figure in ("from the POST", "streaming"))
    bare, bare_streaming = (found.median("bare", figure) for figure in ("from the POST", "streaming"))
    return Row(
        id="P3",
        scenario=f"{plan.runs} runs x {plan.tokens_each} tokens at once, {_NAMES[agent]}, first POST to last token",
        subject=f"{per_second(rate)} tok/s ({per_second(streaming)} from the first token)",
        calibration=f"sqlite3 thread + bare ASGI {per_second(bare)} ({per_second(bare_streaming)})",
        ratio=rate / bare,
        goal=f">= {per_second(_GOAL)} tok/s",
        met=rate >= _GOAL,
        load=found.load,
        samples=found.samples,
    )
