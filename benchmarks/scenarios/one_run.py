"""P2: one run streams as fast as it can, every token durable before it is seen."""

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

_GOALS: Final = {"prepared": 50_000, "author": 20_000}
_SHORT: Final = 10_000
_NAMES: Final = {"prepared": "no-op agent, context.emit", "author": "async generator agent"}


def one_run(plan: Plan) -> list[Row]:
    """Measure one run of each length through each face."""
    rows = []
    with durable_targets(plan.folder, *_GOALS) as targets:
        for tokens in plan.tokens:
            programs = {name: partial(stream_one, target, tokens) for name, target in targets.items()}
            found = interleave(plan.rounds * (plan.repeats if tokens < _SHORT else 1), programs)
            rows += [_row(found, agent, tokens) for agent in _GOALS]
    return rows


def stream_one(target: Target, tokens: int) -> Figures:
    """Stream one run on a new branch; return tokens a second at the reader, after the first piece and from the POST.

    Raises:
        EventsLost: not every event came, in order.
    """
    branch = target.new_branch()
    stream = TokenStream(target, branch)
    with connect(target.port) as wire:
        began = time.perf_counter()
        wire.sendall(post_bytes(target.inputs_path(branch), {"text": str(tokens)}))
        drain([stream])
        assert read_answer(wire).status == 202
    stream.close()
    stream.check(tokens)
    first, last = stream.first(TOKEN), stream.last(TOKEN)
    # What came with the very first token was not streamed between the two moments.
    between = tokens - stream.count_with_first(TOKEN)
    return {"streaming": between / (last - first) if between else 0.0, "from the POST": tokens / (last - began)}


def _row(found: Comparison, agent: str, tokens: int) -> Row:
    streaming, posted = (found.median(agent, figure) for figure in ("streaming", "from the POST"))
    bare, bare_posted = (found.median("bare", figure) for figure in ("streaming", "from the POST"))
    return Row(
        id="P2",
        scenario=f"one run, {tokens:,} tokens, {_NAMES[agent]}",
        subject=f"{per_second(streaming)} tok/s ({per_second(posted)} from the POST)",
        calibration=f"sqlite3 thread + bare ASGI {per_second(bare)} ({per_second(bare_posted)})",
        ratio=streaming / bare if bare else None,
        goal=f">= {per_second(_GOALS[agent])} tok/s",
        met=streaming >= _GOALS[agent],
        load=found.load,
        samples=found.samples,
    )
