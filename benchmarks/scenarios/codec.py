"""C1: what it takes to make bytes of an event and an event of bytes, beside msgspec by itself."""

import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from benchmarks.plan import Plan
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row
from benchmarks.tokens import BARE_EPOCH, MESSAGE_ID, SERIALIZER, STAMP, token_lines
from events import sse
from events.position import Position
from events.serializer import number
from events.text import TextDelta
from hosting.ports.clock import system_clock

_TRIES: Final = 7
_FLUSH: Final = 16
"""How many events are numbered and framed at once: what is under way at a time when runs stream."""
_FIRST: Final = Position(BARE_EPOCH, 1)


class _Bare(msgspec.Struct, tag="TEXT_DELTA", tag_field="type", rename="camel"):
    """The members of the event, without a rule to any of them."""

    version: str
    event_id: str
    sequence_number: int
    timestamp: str
    session_id: str
    branch_id: str
    text: str
    message_id: str


def codec(plan: Plan) -> list[Row]:
    """C1: encode and frame, and decode."""
    line = token_lines(_FIRST, 1)[0]
    bare_decode, decode = msgspec.json.Decoder(_Bare).decode, SERIALIZER.decode
    programs: dict[str, Callable[[], Figures]] = {
        "encode": partial(_best, plan.encodings // _FLUSH, _encode, each=_FLUSH),
        "bare encode": partial(_best, plan.encodings // _FLUSH, _encode_bare, each=_FLUSH),
        "decode": partial(_best, plan.encodings, partial(decode, line)),
        "bare decode": partial(_best, plan.encodings, partial(bare_decode, line)),
    }
    found = interleave(plan.rounds, programs)
    return [
        _row(found, "encode", f"encode, number and frame a token event, {_FLUSH} at a time", 2.0),
        _row(found, "decode", "decode a token event", 1.2),
    ]


def _encode() -> None:
    encoded = [
        SERIALIZER.encode(TextDelta(text="token ", message_id=MESSAGE_ID), STAMP.at(system_clock()))
        for _ in range(_FLUSH)
    ]
    sse.frames(_FIRST, number(encoded, _FIRST))


def _encode_bare() -> None:
    for seq in range(_FLUSH):
        event = _Bare("1.0", f"{BARE_EPOCH}.{seq}", seq, "2026-01-02T03:04:05.678Z", "s", "main", "token ", MESSAGE_ID)
        b"id: %b.%d\ndata: %b\n\n" % (BARE_EPOCH.encode(), seq, _BARE_ENCODER.encode(event))


_BARE_ENCODER: Final = msgspec.json.Encoder()


def _best(count: int, work: Callable[[], object], *, each: int = 1) -> Figures:
    """Return how many seconds of the processor one takes at best: what is slower was disturbed."""
    gc.disable()
    try:
        return {"seconds": min(_timed(count, work) for _ in range(_TRIES)) / (count * each)}
    finally:
        gc.enable()


def _timed(count: int, work: Callable[[], object]) -> float:
    began = time.thread_time()
    for _ in range(count):
        work()
    return time.thread_time() - began


def _row(found: Comparison, program: str, scenario: str, most: float) -> Row:
    subject, bare = (found.median(name, "seconds") * 1e6 for name in (program, f"bare {program}"))
    return Row(
        id="C1",
        scenario=scenario,
        subject=f"{subject:.2f} us",
        calibration=f"a msgspec Struct by itself {bare:.2f} us",
        ratio=subject / bare,
        goal=f"<= {most:g} us",
        met=subject <= most,
        load=found.load,
        samples={name: found.samples[name] for name in (program, f"bare {program}")},
    )
