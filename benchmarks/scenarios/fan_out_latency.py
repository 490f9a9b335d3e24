"""A4, A5: how long an event takes from its publishing to each of many readers, while the server has time to spare."""

from functools import partial

from benchmarks.plan import Plan
from benchmarks.rounds import Comparison, interleave
from benchmarks.row import Row, milliseconds
from benchmarks.scenarios.fans import fans_of


def to_a_hundred(plan: Plan) -> list[Row]:
    """A4: 50 events a second to a hundred."""
    found = _compared(plan, plan.readers, pace=50)
    added = found.median("subject", "p99") - found.median("ring", "p99")
    met = _within(found, 0.002, 0.008) and added <= 0.003
    scenario = f"{plan.readers} readers, 50 events/s, p50 / p99"
    return [_row(found, "A4", scenario, "<= 2 / 8 ms, p99 3 ms above bare", met=met)]


def to_a_thousand_in_time(plan: Plan) -> list[Row]:
    """A5: 20 events a second to a thousand."""
    found = _compared(plan, plan.many_readers, pace=20)
    scenario = f"{plan.many_readers:,} readers, 20 events/s, p50 / p99"
    return [_row(found, "A5", scenario, "<= 20 / 60 ms", met=_within(found, 0.020, 0.060))]


def _compared(plan: Plan, readers: int, *, pace: float) -> Comparison:
    with fans_of(plan, readers, "ring", kind="listen") as fans:
        programs = {name: partial(fan.tell_the_time, pace, 1, plan.seconds) for name, fan in fans.items()}
        return interleave(plan.rounds, programs)


def _within(found: Comparison, p50: float, p99: float) -> bool:
    return found.median("subject", "p50") <= p50 and found.median("subject", "p99") <= p99


def _row(found: Comparison, row_id: str, scenario: str, goal: str, *, met: bool) -> Row:
    subject, ring = ((found.median(name, "p50"), found.median(name, "p99")) for name in ("subject", "ring"))
    return Row(
        id=row_id,
        scenario=scenario,
        subject=milliseconds(*subject),
        calibration=f"bare ASGI ring {milliseconds(*ring)}",
        ratio=subject[0] / ring[0],
        goal=goal,
        met=met,
        load=found.load,
        samples=found.samples,
        latencies={"Branchline": subject, "bare ASGI ring": ring},
    )
