"""A session of the fleet that a worker has, and what is asked of routers about it."""

import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx

from hosting.domain.identity import Role
from tests.fleet.gate import Gate
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, Json, define_worker_agent

WORK = "research"


@dataclass(frozen=True)
class Claimed:
    """A session of a tenant of its own, the worker that has it, and an operator of that tenant."""

    tenant: str
    operator: Client
    worker: FleetWorker
    session: str

    async def select(self, *candidates: str, work_type: str = WORK, **said: Any) -> Json:
        """Ask which of the candidates is to do the work; the answer must be a 200."""
        return await self.worker.told(
            self.session, "routing-select", workType=work_type, candidates=list(candidates), **said
        )

    async def observe(self, provider: str, reward: float, *, work_type: str = WORK, **said: Any) -> Json:
        """Tell what a provider has brought; the answer must be a 200."""
        return await self.worker.told(
            self.session, "routing-feedback", provider=provider, workType=work_type, reward=reward, **said
        )

    async def metrics(self, **query: Any) -> Json:
        """Return what an operator sees."""
        return await metrics(self.operator.http, **query)

    async def arms(self) -> dict[tuple[str, str], Json]:
        """Return the tenant's arms by provider and work type."""
        return {(arm["provider"], arm["workType"]): arm for arm in (await self.metrics())["posteriors"]}


async def metrics(http: httpx.AsyncClient, **query: Any) -> Json:
    """Return what somebody sees of routers."""
    response = await http.get("/api/public/routing-metrics", params=query)
    assert response.status_code == 200, response.text
    seen: Json = response.json()
    return seen


class Claims:
    """Makes sessions of tenants of their own, and workers that have them; `http` is what workers ask by."""

    def __init__(self, gate: Gate, http: httpx.AsyncClient, opened: AsyncExitStack) -> None:
        self.gate = gate
        self.http = http
        self._opened = opened

    async def __call__(self, tenant: str | None = None, *, run_config: Json | None = None, **config: Any) -> Claimed:
        """Return a session that a worker has just claimed; `config` is its agent's, beside that it is for workers."""
        tenant = tenant or f"tenant-{uuid.uuid4().hex}"
        operator = await self._opened.enter_async_context(await self.gate.tenant(tenant))
        operator.agent = await define_worker_agent(operator.http, **config)
        said = {"text": "Do it."} if run_config is None else {"text": "Do it.", "runConfig": run_config}
        conversation = await operator.session()
        accepted = await operator.http.post(f"{operator.path(conversation)}/inputs", json=said)
        assert accepted.status_code == 202, accepted.text
        worker = await self.worker(tenant, agentIds=[operator.agent])
        return Claimed(tenant, operator, worker, (await worker.claimed())["sessionId"])

    async def worker(self, tenant: str, **said: Any) -> FleetWorker:
        """Return one more worker of a tenant."""
        return await FleetWorker.register(self.http, key=await self.gate.key(tenant, Role.WORKER), **said)
