"""Servers with many readers of one branch, addressed alike."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.disk import percentile
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.readers import Kind, Readers
from benchmarks.rounds import Figures
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.tokens import END
from benchmarks.wire import post

SUBJECT_FEED = "/agents/publisher/sessions/fan/branches/main/events/live"
_SUBJECT_ORDERS = "/agents/publisher/sessions/orders/branches/main/inputs"


@dataclass(slots=True)
class Fan:
    """A server with its readers."""

    server: ServerProcess
    orders: str
    readers: Readers

    def deliver(self, count: int, burst: int) -> Figures:
        """Have so many events published, and return what arrived a second and a processor second."""
        place = self.readers.place
        order = FanOutOrder(place._replace(seq=place.seq + 1), count, burst)
        delivery = self.readers.count(count, self.server.id, lambda: self._publish(order))
        seconds, cpu = delivery.ended - delivery.began, delivery.cpu_ended - delivery.cpu_began
        return {
            "per second": delivery.events / seconds,
            "per core": delivery.events / max(cpu, 0.001),
            "busy": cpu / seconds,
            "events per write": delivery.events_per_write,
        }

    def tell_the_time(self, pace: float, burst: int, seconds: float) -> Figures:
        """Have events published at a pace, and return how long they took to their readers, in seconds."""
        place, count = self.readers.place, max(1, int(pace * seconds)) * burst
        order = FanOutOrder(place._replace(seq=place.seq + 1), count, burst, pace)
        latencies = self.readers.listen(END, lambda: self._publish(order))
        self.readers.place = place._replace(seq=place.seq + count)
        return {"p50": percentile(latencies, 0.5), "p99": percentile(latencies, 0.99)}

    def _publish(self, order: FanOutOrder) -> None:
        post(self.server.port, self.orders, {"text": str(order)})


@contextmanager
def fans_of(plan: Plan, readers: int, *calibrations: str, kind: Kind = "count") -> Iterator[dict[str, Fan]]:
    """Start the real server as `subject`, and the calibrations, each with so many readers."""
    with ExitStack() as stack:
        made = stack.enter_context(empty_folder(plan.folder))
        subject = stack.enter_context(ServerProcess("subject", sqlite_url(made)))
        for session in ("fan", "orders"):
            post(subject.port, "/sessions", {"sessionId": session})
        servers = {"subject": (subject, SUBJECT_FEED, _SUBJECT_ORDERS)}
        for name in calibrations:
            servers[name] = (stack.enter_context(ServerProcess(name)), "/live", "/publish")
        fans = {}
        for name, (server, feed, orders) in servers.items():
            opened = Readers(server.port, [feed] * readers, processes=plan.processes, kind=kind)
            fans[name] = Fan(server, orders, stack.enter_context(opened))
        yield fans
