"""A1, A2, A6: one branch, many readers; the events are published past the store, since only fan-out is measured.

Ratios are of events a second of the server's processor: every server here is one busy thread, and what else the
machine does falls on the clock, not on that.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from benchmarks.crowd import Crowd
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, per_second
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.wire import post

_BURST = 16
_UNITS = {"per core": " of a core", "per second": ""}
_STOCK_SHARE = 10
"""Stock responses send a burst's events one by one; a tenth of the events takes as long."""
_SUBJECT_FEED = "/agents/publisher/sessions/fan/branches/main/events/live"
_SUBJECT_ORDERS = "/agents/publisher/sessions/orders/branches/main/inputs"


@dataclass(frozen=True, slots=True)
class _Fan:
    """A server with its readers."""

    server: ServerProcess
    orders: str
    crowd: Crowd

    def deliver(self, count: int, burst: int) -> Figures:
        """Have so many events published, and return what arrived a second and a processor second."""
        place = self.crowd.place
        order = FanOutOrder(place._replace(seq=place.seq + 1), count, burst)
        post(self.server.port, self.orders, {"text": str(order)})
        delivery = self.crowd.read(count, self.server.cpu_seconds)
        return {
            "per second": delivery.events / delivery.seconds,
            "per core": delivery.events / max(delivery.cpu_seconds, 0.001),
            "busy": delivery.cpu_seconds / delivery.seconds,
            "events per write": delivery.events_per_write,
        }


def in_bursts(plan: Plan) -> list[Row]:
    """A1: 16 events at a time."""
    count = plan.burst_events
    with _fans(plan, "ring") as fans:
        found = interleave(plan.rounds, {name: partial(fan.deliver, count, _BURST) for name, fan in fans.items()})
    scenario = f"{plan.readers} readers, burst {_BURST}"
    return [
        _against(found, "A1", scenario, "ring", "bare ASGI ring", 0.75),
        _absolute(found, "A1", scenario, "per core", 500_000),
    ]


def one_by_one(plan: Plan) -> list[Row]:
    """A2: a write for each event."""
    count = plan.single_events
    with _fans(plan, "ring", "raw") as fans:
        found = interleave(plan.rounds, {name: partial(fan.deliver, count, 1) for name, fan in fans.items()})
    scenario = f"{plan.readers} readers, 1 write an event"
    return [
        _against(found, "A2", scenario, "ring", "bare ASGI ring", 0.75),
        _against(found, "A2", scenario, "raw", "raw uvloop", 0.45),
        _absolute(found, "A2", scenario, "per second", 65_000),
    ]


def against_stock(plan: Plan) -> list[Row]:
    """A6: beside Litestar's own ServerSentEvent."""
    rows = []
    with _fans(plan, "stock") as fans:
        for burst, count, least in ((1, plan.single_events, 1.5), (_BURST, plan.burst_events, 8.0)):
            counts = {"subject": count, "stock": max(_BURST, (count if burst == 1 else count // _STOCK_SHARE))}
            programs = {name: partial(fan.deliver, counts[name], burst) for name, fan in fans.items()}
            found = interleave(plan.rounds, programs)
            scenario = f"{plan.readers} readers, burst {burst}"
            rows.append(_against(found, "A6", scenario, "stock", "Litestar ServerSentEvent", least))
    return rows


@contextmanager
def _fans(plan: Plan, *calibrations: str) -> Iterator[dict[str, _Fan]]:
    with ExitStack() as stack:
        enter: Callable[[ServerProcess], ServerProcess] = stack.enter_context
        made = stack.enter_context(empty_folder(plan.folder))
        subject = enter(ServerProcess("subject", sqlite_url(made)))
        for session in ("fan", "orders"):
            post(subject.port, "/sessions", {"sessionId": session})
        crowd = stack.enter_context(Crowd(subject.port, _SUBJECT_FEED, plan.readers))
        fans = {"subject": _Fan(subject, _SUBJECT_ORDERS, crowd)}
        for name in calibrations:
            server = enter(ServerProcess(name))
            fans[name] = _Fan(server, "/publish", stack.enter_context(Crowd(server.port, "/live", plan.readers)))
        yield fans


def _against(found: Comparison, row_id: str, scenario: str, program: str, name: str, least: float) -> Row:
    ratio = found.ratio("per core", "subject", program)
    return Row(
        id=row_id,
        scenario=scenario,
        subject=_shown(found, "subject"),
        calibration=f"{name} {_shown(found, program)}",
        ratio=ratio,
        goal=f">= {least:g}x",
        met=ratio >= least,
        load=found.load,
        samples=found.samples,
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
