"""M1, M2: an agent that asks a model, beside pydantic-ai that does the same by itself: the first token, and many."""

import json
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Final

from benchmarks.disk import percentile
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, milliseconds
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.scenarios.target import Target
from benchmarks.scenarios.token_stream import TOKEN, TokenStream
from benchmarks.stream import EventsLost, Stream, drain
from benchmarks.wire import connect, post, post_bytes

_RATE: Final = 500
_ADDED: Final = 0.015
_BESIDE: Final = "pydantic-ai by itself"
_ANSWER: Final = "2 50"
"""Two words, the second 20 ms after the first: the end of a run is not what a first token has to wait for."""
_WORD: Final = re.compile(rb'"text":"tok(\d+) (\d+) "')
_SAID: Final = re.compile(r"tok(\d+) (\d+) ")


@dataclass(frozen=True, slots=True)
class Heard:
    """Words by their numbers, each with when it was said and when it was there, in seconds of one clock."""

    words: Sequence[tuple[int, float, float]]

    def latencies(self, said: int) -> list[float]:
        """Return how long each word took.

        Raises:
            EventsLost: these are not all the words that were said, in their order.
        """
        if (numbers := [number for number, _, _ in self.words]) != list(range(said)):
            raise EventsLost(f"{said} words were said, and {len(numbers)} came, or not in their order.")
        return [there - then for _, then, there in self.words]


def first_token(plan: Plan) -> list[Row]:
    """M1: from asking to the first token, one input after another, each on a branch of its own."""
    with _programs(plan) as (bare, target):
        found = interleave(
            plan.rounds,
            {
                "subject": partial(_first_tokens, target, plan.inputs),
                "bare": partial(_bare_first_tokens, bare.port, plan.inputs),
            },
        )
    subject, beside = (_pair(found, name, "p50", "p95") for name in ("subject", "bare"))
    added = (subject[0] - beside[0], subject[1] - beside[1])
    return [
        Row(
            id="M1",
            scenario="POST sent to first token of an agent with a model, p50 / p95",
            subject=f"{milliseconds(*subject)}, {milliseconds(*added)} above",
            calibration=f"{_BESIDE} {milliseconds(*beside)}",
            ratio=subject[0] / beside[0],
            goal=f"<= {milliseconds(_ADDED)} above",
            met=max(added) <= _ADDED,
            load=found.load,
            samples=found.samples,
            latencies={"Branchline": subject, _BESIDE: beside},
        )
    ]


def model_stream(plan: Plan) -> list[Row]:
    """M2: a model that speaks fast, from the provider's saying to the client's seeing."""
    words = max(1, int(plan.seconds * _RATE))
    with _programs(plan) as (bare, target):
        programs = {"subject": partial(_paced, target, words), "bare": partial(_bare_paced, bare.port, words)}
        found = interleave(plan.rounds, programs)
    subject, beside = (_pair(found, name, "p50", "p99") for name in ("subject", "bare"))
    return [
        Row(
            id="M2",
            scenario=f"a model that says {words:,} words at {_RATE}/s, none lost, from saying to seeing, p50 / p99",
            subject=_shown(found, "subject"),
            calibration=f"{_BESIDE} {_shown(found, 'bare')}",
            ratio=subject[0] / beside[0],
            goal=f"none lost, <= {milliseconds(_ADDED)} above",
            met=max(subject[0] - beside[0], subject[1] - beside[1], _last(found)) <= _ADDED,
            load=found.load,
            samples=found.samples,
            latencies={"Branchline": subject, _BESIDE: beside},
        )
    ]


@contextmanager
def _programs(plan: Plan) -> Iterator[tuple[ServerProcess, Target]]:
    with ExitStack() as stack:
        folder = stack.enter_context(empty_folder(plan.folder))
        provider = str(stack.enter_context(ServerProcess("provider")).port)
        bare = stack.enter_context(ServerProcess("bare_model", provider))
        subject = stack.enter_context(ServerProcess("model_subject", sqlite_url(folder), provider))
        yield bare, Target(subject, "speaker")


def _first_tokens(target: Target, inputs: int) -> Figures:
    taken = []
    with connect(target.port) as wire:
        for _ in range(inputs):
            branch = target.new_branch()
            began, stream = _submitted(target, branch, wire, _ANSWER)
            _heard(stream).latencies(2)
            taken.append(stream.first(TOKEN) - began)
    return _percentiles(taken, 0.5, 0.95)


def _bare_first_tokens(port: int, inputs: int) -> Figures:
    taken = []
    for _ in range(inputs):
        began, heard = _bare_run(port, _ANSWER)
        heard.latencies(2)
        taken.append(heard.words[0][2] - began)
    return _percentiles(taken, 0.5, 0.95)


def _paced(target: Target, words: int) -> Figures:
    with connect(target.port) as wire:
        _, stream = _submitted(target, target.new_branch(), wire, f"{words} {_RATE}")
    stream.check(words)
    return _lags(_heard(stream).latencies(words))


def _bare_paced(port: int, words: int) -> Figures:
    return _lags(_bare_run(port, f"{words} {_RATE}")[1].latencies(words))


def _submitted(target: Target, branch: str, wire: socket.socket, text: str) -> tuple[float, TokenStream]:
    """Return when an input was sent, and all that came of it."""
    stream, answer = TokenStream(target, branch), Stream(wire, b"}")
    request = post_bytes(target.inputs_path(branch), {"text": text})
    began = time.perf_counter()
    wire.sendall(request)
    drain([stream, answer])
    stream.close()
    return began, stream


def _heard(stream: TokenStream) -> Heard:
    ends = list(accumulate(map(len, stream.pieces)))
    words, piece = [], 0
    for match in _WORD.finditer(stream.received()):
        while ends[piece] < match.end():
            piece += 1
        # On Linux, `perf_counter` and `monotonic` are one clock, and all processes have the same.
        words.append((int(match[1]), int(match[2]) / 1e9, stream.times[piece]))
    return Heard(words)


def _bare_run(port: int, text: str) -> tuple[float, Heard]:
    told = json.loads(post(port, "/run", {"text": text}).body)
    words = []
    for word, there in zip(told["words"], told["times"], strict=True):
        # Words that came at once are handed over as one.
        words += [(int(match[1]), int(match[2]) / 1e9, there) for match in _SAID.finditer(word)]
    return told["began"], Heard(words)


def _percentiles(taken: list[float], *shares: float) -> Figures:
    taken.sort()
    return {f"p{share * 100:.0f}": percentile(taken, share) for share in shares}


def _lags(latencies: list[float]) -> Figures:
    return {"last": latencies[-1], **_percentiles(latencies, 0.5, 0.99)}


def _pair(found: Comparison, program: str, *names: str) -> tuple[float, float]:
    first, second = (found.median(program, name) for name in names)
    return first, second


def _last(found: Comparison) -> float:
    return found.median("subject", "last") - found.median("bare", "last")


def _shown(found: Comparison, program: str) -> str:
    return (
        f"{milliseconds(*_pair(found, program, 'p50', 'p99'))}, the last {milliseconds(found.median(program, 'last'))}"
    )
