"""D1, D2: durable appends on SQLite through the writer and the store, beside what a plain driver and the disk take."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.disk import fdatasync_seconds, percentile
from benchmarks.plan import Plan
from benchmarks.rounds import Figures, Program, interleave
from benchmarks.row import Row, milliseconds, per_second
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.servers.appender import Appended, AppendOrder
from benchmarks.talk import ToldProcess

_WRITERS: Final = 50
_LEAST_RATIO: Final = 5.0
_LEAST_RATE: Final = 15_000
_MOST_SECONDS: Final = 0.020
_SYNCS: Final = 200


@dataclass(frozen=True, slots=True)
class _Appender:
    process: ToldProcess

    def append(self, order: AppendOrder) -> Figures:
        """Have events appended."""
        self.process.tell(order)
        found: Appended = self.process.hear(Appended)
        return {"per second": found.per_second, "p50": found.p50, "p99": found.p99}


def group_commit(plan: Plan) -> list[Row]:
    """D1: 50 writers, each of which waits for each of its events."""
    with _appender(plan) as appender:
        found = interleave(
            plan.rounds,
            {
                "subject": lambda: appender.append(AppendOrder("subject", _WRITERS, plan.appends)),
                "autocommit": lambda: appender.append(AppendOrder("autocommit", 1, plan.appends * 5)),
            },
        )
    rate, bare = (found.median(name, "per second") for name in ("subject", "autocommit"))
    shown = f"{per_second(rate)}/s, {_shown(found.median('subject', 'p50'), found.median('subject', 'p99'))}"
    beside = f"sqlite3, a commit each {per_second(bare)}/s"
    scenario = f"{_WRITERS} writers that wait for each event, SQLite FULL"
    of_bare = Row(
        id="D1",
        scenario=scenario,
        subject=shown,
        calibration=beside,
        ratio=rate / bare,
        goal=f">= {_LEAST_RATIO:g}",
        met=rate / bare >= _LEAST_RATIO,
        load=found.load,
        samples=found.samples,
        asserted=True,
    )
    goal = f">= {per_second(_LEAST_RATE)}/s"
    return [of_bare, Row("D1", scenario, shown, "", None, goal, rate >= _LEAST_RATE, found.load)]


def paced_appends(plan: Plan) -> list[Row]:
    """D2: the same at a pace."""
    each = plan.paced_appends / _WRITERS
    order = AppendOrder("subject", _WRITERS, max(1, int(each * plan.seconds)), each)
    with _appender(plan) as appender:
        programs: dict[str, Program] = {"subject": lambda: appender.append(order), "disk": lambda: _disk(plan)}
        found = interleave(plan.rounds, programs)
    p50, p99 = (found.median("subject", name) for name in ("p50", "p99"))
    disk = [found.median("disk", name) for name in ("p50", "p99")]
    most = max(_MOST_SECONDS, 5 * disk[1])
    return [
        Row(
            id="D2",
            scenario=f"{plan.paced_appends:,} events/s by {_WRITERS} writers, SQLite FULL, until durable, p50 / p99",
            subject=milliseconds(p50, p99),
            calibration=f"fdatasync {milliseconds(*disk)}",
            ratio=p99 / disk[1],
            goal=f"p99 <= {milliseconds(most)}",
            met=p99 <= most,
            load=found.load,
            samples=found.samples,
            latencies={"append until durable": (p50, p99), "fdatasync": (disk[0], disk[1])},
        )
    ]


@contextmanager
def _appender(plan: Plan) -> Iterator[_Appender]:
    with ExitStack() as stack:
        url = sqlite_url(stack.enter_context(empty_folder(plan.folder)))
        yield _Appender(stack.enter_context(ToldProcess("benchmarks.servers.appender", url, str(_WRITERS))))


def _disk(plan: Plan) -> Figures:
    taken = fdatasync_seconds(plan.folder, _SYNCS)
    return {"p50": percentile(taken, 0.5), "p99": percentile(taken, 0.99)}


def _shown(p50: float, p99: float) -> str:
    return f"p50 / p99 {milliseconds(p50, p99)}"
