"""A server and workers of our own for it, for the tests of a module."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.edge.deadline import seconds_until
from tests.fleet import remote_agents
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.worker import define_worker_agent
from tests.harness.worker_process import WorkerProcess

AGENTS = str(Path(remote_agents.__file__))
WITHIN_SECONDS = 30.0


@dataclass
class Site:
    """A server with short leases, its workers, and the folder that their agents write into."""

    server: ServerProcess
    folder: Path
    workers: list[WorkerProcess] = field(default_factory=list)

    def worker(self) -> WorkerProcess:
        """Start one more worker."""
        made = WorkerProcess(
            self.folder, self.server.url, AGENTS, log=f"worker-{len(self.workers)}.log", grace_seconds=0.2
        )
        self.workers.append(made)
        return made.start()

    def client(self) -> Client:
        """Return a client of the server, yet to be opened."""
        return Client(self.server.url)

    async def define(self, client: Client, name: str) -> str:
        """Define an agent whose work the workers do, and let the client speak to it."""
        client.agent = await define_worker_agent(client.http, name)
        return client.agent

    def open(self, gate: str) -> None:
        """Let an agent through a gate."""
        (self.folder / gate).touch()

    def notes(self) -> list[list[str]]:
        """Return what agents have noted: a word, and in which process."""
        path = self.folder / "notes.txt"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def close(self) -> None:
        """Kill all that still runs."""
        for worker in self.workers:
            worker.__exit__()
        self.server.__exit__()


async def seen(client: Client, session: str, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Return a session's log as soon as it holds what is wanted."""
    log: list[dict[str, Any]] = []

    async def there() -> bool:
        log[:] = await client.log(session)
        return wanted(log)

    await seconds_until(there, within=WITHIN_SECONDS)
    return log


async def taken_over(
    site: Site, client: Client, end: Callable[[WorkerProcess], object]
) -> tuple[list[dict[str, Any]], dict[str, Any], WorkerProcess, WorkerProcess]:
    """Let a worker end in the middle of a run of `helper`, and a second one do the rest; nothing is done twice.

    Return the log, the event that tells of the end, and the two workers.
    """
    first = site.worker()
    session, gate, before = await client.session(), f"gate-{first.worker_id}", len(site.notes())
    await client.accepted(session, gate)
    await seen(client, session, lambda log: "I did one." in told(log))
    second = site.worker()
    end(first)
    site.open(gate)
    log = await seen(client, session, has("BRANCH_RUN_COMPLETED"))

    check_log(log)
    (returned,) = (event for event in log if event["type"] == "WORK_RETURNED")
    claimed = [event["workerId"] for event in log if event["type"] == "WORK_CLAIMED"]
    assert claimed == [first.worker_id, second.worker_id]
    assert told(log) == "I did one.I did two."
    assert site.notes()[before:] == [["first", str(first.pid)], ["second", str(second.pid)]]
    return log, returned, first, second


def has(wire_type: str) -> Callable[[list[dict[str, Any]]], bool]:
    """Return what says whether an event of this type is in a log."""
    return lambda log: any(event["type"] == wire_type for event in log)


def told(log: list[dict[str, Any]]) -> str:
    """Return all the text of a log."""
    return "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA")
