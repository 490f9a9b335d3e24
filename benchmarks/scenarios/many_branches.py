"""B1, B2: a thousand branches with a reader each, published past the store, each from a task of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.disk import percentile
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.readers import Readers
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, milliseconds, percent
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.servers.produce_order import ProduceOrder
from benchmarks.tokens import BARE_EPOCH, END
from benchmarks.wire import post

_SUBJECT: Final = "/agents/producers/sessions/{}/branches/main"


@dataclass(slots=True)
class _Field:
    """A server with many branches, and their readers."""

    server: ServerProcess
    orders: str
    readers: Readers
    published: int = 0

    def produce(self, rate: float, seconds: float) -> Figures:
        """Publish on every branch at a rate; return latencies in seconds and the share of a core that it took."""
        order = ProduceOrder(self.published + 1, max(1, int(rate * seconds)), rate)
        before = self.server.cpu_seconds()
        latencies = self.readers.listen(
            END, lambda: post(self.server.port, self.orders, {"text": str(order)}), epoch=BARE_EPOCH
        )
        spent = self.server.cpu_seconds() - before
        self.published += order.count
        return {
            "p50": percentile(latencies, 0.5),
            "p99": percentile(latencies, 0.99),
            # Each branch takes `count` periods of its rate, and begins within the first.
            "core": spent / ((order.count + 1) / rate),
            "per core": len(latencies) / max(spent, 0.001),
        }


def ten_thousand_a_second(plan: Plan) -> list[Row]:
    """B1: 10 000 events a second in all."""
    return _measured(plan, "B1", 10_000, p99=0.010, core=0.60)


def twenty_thousand_a_second(plan: Plan) -> list[Row]:
    """B2: 20 000 events a second in all."""
    return _measured(plan, "B2", 20_000, p99=0.025, core=1.0)


def _measured(plan: Plan, row_id: str, rate: float, *, p99: float, core: float) -> list[Row]:
    with _fields(plan) as fields:
        each = rate / plan.branches
        found = interleave(plan.rounds, {n: partial(f.produce, each, plan.seconds) for n, f in fields.items()})
    subject, ring = ((found.median(name, "p50"), found.median(name, "p99")) for name in fields)
    goal = f"p99 <= {p99 * 1000:g} ms, <= {percent(core)} of a core"
    return [
        Row(
            id=row_id,
            scenario=f"{plan.branches:,} branches with a reader each, {rate:,.0f} events/s, p50 / p99",
            subject=_shown(found, "subject"),
            calibration=f"bare ASGI ring {_shown(found, 'ring')}",
            ratio=found.ratio("per core", "subject", "ring"),
            goal=goal,
            met=subject[1] <= p99 and found.median("subject", "core") <= core,
            load=found.load,
            samples=found.samples,
            rates={
                "Branchline": found.median("subject", "per core"),
                "bare ASGI ring": found.median("ring", "per core"),
            },
            latencies={"Branchline": subject, "bare ASGI ring": ring},
        )
    ]


@contextmanager
def _fields(plan: Plan) -> Iterator[dict[str, _Field]]:
    with ExitStack() as stack:
        made = stack.enter_context(empty_folder(plan.folder))
        subject = stack.enter_context(ServerProcess("subject", sqlite_url(made)))
        names = [f"field-{index}" for index in range(plan.branches)]
        for name in ["orders", *names]:
            post(subject.port, "/sessions", {"sessionId": name})
        feeds = [f"{_SUBJECT.format(name)}/events/live" for name in names]
        ring = stack.enter_context(ServerProcess("ring"))
        fields = {
            "subject": (subject, f"{_SUBJECT.format('orders')}/inputs", feeds),
            "ring": (ring, "/produce", [f"/live/{name}" for name in names]),
        }
        yield {
            name: _Field(server, orders, stack.enter_context(_readers(plan, server, paths)))
            for name, (server, orders, paths) in fields.items()
        }


def _readers(plan: Plan, server: ServerProcess, paths: list[str]) -> Readers:
    return Readers(server.port, paths, processes=plan.processes, kind="listen")


def _shown(found: Comparison, program: str) -> str:
    p50, p99, core = (found.median(program, name) for name in ("p50", "p99", "core"))
    return f"{milliseconds(p50, p99)}, {percent(core)} of a core"
