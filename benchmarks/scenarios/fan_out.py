"""A1, A2, A3, A6: one branch, many readers; the events are published past the store, since only fan-out is measured.

Ratios are of events a second of the server's processor: every server here is one busy thread, and what else the
machine does falls on the clock, not on that.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from benchmarks.plan import Plan
from benchmarks.rounds import Comparison, interleave
from benchmarks.row import Row, per_second
from benchmarks.scenarios.fans import Fan, fans_of

_BURST: Final = 16
_STOCK_SHARE: Final = 10
"""Stock responses send a burst's events one by one; a tenth of the events takes as long."""
_NAMES: Final = {
    "subject": "Branchline",
    "ring": "bare ASGI ring",
    "raw": "raw uvloop",
    "stock": "Litestar ServerSentEvent",
}
_UNITS: Final = {"per core": " of a core", "per second": ""}


def in_bursts(plan: Plan) -> list[Row]:
    """A1: 16 events at a time."""
    count = plan.burst_events
    with fans_of(plan, plan.readers, "ring") as fans:
        found = interleave(plan.rounds, {name: partial(fan.deliver, count, _BURST) for name, fan in fans.items()})
    scenario = f"{plan.readers} readers, burst {_BURST}"
    return [_against(found, "A1", scenario, "ring", 0.75), _absolute(found, "A1", scenario, "per core", 500_000)]


def one_by_one(plan: Plan) -> list[Row]:
    """A2: a write for each event."""
    return _singly(plan, "A2", plan.readers, plan.single_events, least=(0.75, 0.45, 65_000))


def to_a_thousand(plan: Plan) -> list[Row]:
    """A3: a write for each event, to ten times as many."""
    return _singly(plan, "A3", plan.many_readers, plan.many_events, least=(0.65, 0.28, 35_000))


def against_stock(plan: Plan) -> list[Row]:
    """A6: beside Litestar's own ServerSentEvent."""
    rows = []
    with fans_of(plan, plan.readers, "stock") as fans:
        for burst, count, least in ((1, plan.single_events, 1.5), (_BURST, plan.burst_events, 8.0)):
            counts = {"subject": count, "stock": max(_BURST, (count if burst == 1 else count // _STOCK_SHARE))}
            found = interleave(plan.rounds, _delivering(fans, counts, burst))
            rows.append(_against(found, "A6", f"{plan.readers} readers, burst {burst}", "stock", least))
    return rows


def _delivering(fans: dict[str, Fan], counts: dict[str, int], burst: int) -> dict[str, "partial[dict[str, float]]"]:
    return {name: partial(fan.deliver, counts[name], burst) for name, fan in fans.items()}


def _singly(plan: Plan, row_id: str, readers: int, count: int, *, least: Sequence[float]) -> list[Row]:
    of_ring, of_raw, a_second = least
    with fans_of(plan, readers, "ring", "raw") as fans:
        found = interleave(plan.rounds, _delivering(fans, dict.fromkeys(fans, count), 1))
    scenario = f"{readers:,} readers, 1 write an event"
    return [
        _against(found, row_id, scenario, "ring", of_ring),
        _against(found, row_id, scenario, "raw", of_raw),
        _absolute(found, row_id, scenario, "per second", a_second),
    ]


def _against(found: Comparison, row_id: str, scenario: str, program: str, least: float) -> Row:
    ratio = found.ratio("per core", "subject", program)
    return Row(
        id=row_id,
        scenario=scenario,
        subject=_shown(found, "subject"),
        calibration=f"{_NAMES[program]} {_shown(found, program)}",
        ratio=ratio,
        goal=f">= {least:g}",
        met=ratio >= least,
        load=found.load,
        samples=found.samples,
        asserted=True,
        rates={_NAMES[name]: found.median(name, "per core") for name in ("subject", program)},
    )


def _absolute(found: Comparison, row_id: str, scenario: str, figure: str, least: float) -> Row:
    return Row(
        id=row_id,
        scenario=scenario,
        subject=_shown(found, "subject"),
        calibration="",
        ratio=None,
        goal=f">= {per_second(least)} ev/s{_UNITS[figure]}",
        met=found.median("subject", figure) >= least,
        load=found.load,
    )


def _shown(found: Comparison, program: str) -> str:
    core, second, writes = (found.median(program, name) for name in ("per core", "per second", "events per write"))
    return f"{per_second(core)} ev/s of a core, {per_second(second)} ev/s ({writes:.1f} a write)"
