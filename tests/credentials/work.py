"""A session that a worker has, of a project or of none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hosting.domain.identity import Role
from tests.credentials.safe import Safe
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent


@dataclass(frozen=True)
class Work:
    """What a worker of a project, or of none, has claimed."""

    client: Client
    worker: FleetWorker
    item: str
    session: str

    @property
    def headers(self) -> dict[str, str]:
        """What the worker shows."""
        return self.worker.headers

    async def end(self) -> None:
        """Let the session end."""
        await self.worker.told(self.item, "status", status="running")
        await self.worker.told(self.item, "status", status="completed")


@asynccontextmanager
async def work_of(safe: Safe, tenant: str, by: str | None = None, **config: str) -> AsyncIterator[Work]:
    """Let a worker, of the project `by`, take a run of an agent; `config` is the agent's."""
    async with await safe.tenant(tenant) as client:
        client.agent = await define_worker_agent(client.http, **config)
        worker = await FleetWorker.register(client.http, key=await safe.key(tenant, Role.WORKER, by))
        session = await client.session()
        await client.accepted(session, "hello")
        yield Work(client, worker, str((await worker.claimed())["sessionId"]), session)
