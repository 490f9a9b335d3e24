"""The agents whose runs are for workers."""

from collections.abc import Iterator
from dataclasses import dataclass

from events.ids import AgentId
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkTerms
from hosting.domain.worker import Worker
from hosting.services.fleet.core import Fleet


@dataclass(frozen=True, slots=True)
class WorkerAgent:
    """An agent, and what workers are offered of it."""

    id: AgentId
    name: str
    terms: WorkTerms


async def projects_of(fleet: Fleet, tenant: TenantId) -> list[str]:
    """Return the projects that a tenant's agents for workers name, each once and in order of their names.

    Raises:
        StorageUnavailable: nobody can tell now.
    """
    found = await _worker_agents(fleet, tenant)
    return sorted({each.terms.project for each in found if each.terms.project is not None})


async def agents_for(fleet: Fleet, worker: Worker) -> list[AgentId]:
    """Return the agents whose work a worker can get; raises as `projects_of` does."""
    return [each.id for each in await _worker_agents(fleet, worker.tenant) if _is_for(each, worker)]


async def _worker_agents(fleet: Fleet, tenant: TenantId) -> list[WorkerAgent]:
    agents = fleet.runtime.agents
    return [
        *_registered(fleet),
        *(
            WorkerAgent(each.id, each.name, each.config.terms)
            for each in await agents.defined.of(tenant).for_workers()
            if each.config.terms is not None
        ),
    ]


def _registered(fleet: Fleet) -> Iterator[WorkerAgent]:
    for agent_id, known in fleet.runtime.agents.registered().items():
        if known.terms is not None:
            yield WorkerAgent(AgentId(agent_id), known.name, known.terms)


def _is_for(agent: WorkerAgent, worker: Worker) -> bool:
    is_admitted = not worker.admitted or agent.terms.project is None or agent.terms.project in worker.admitted
    return is_admitted and (not worker.agents or agent.id in worker.agents or agent.name in worker.agents)
