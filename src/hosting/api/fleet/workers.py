"""Routes that show the members of the fleet, and let them go."""

from typing import Any

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Raw, Struct, UnsetType

from hosting.api.caller import Caller
from hosting.api.fleet.heartbeat import MutationView
from hosting.api.fleet.members import worker_named
from hosting.api.openapi import answers
from hosting.domain.host_status import HostStatus
from hosting.domain.worker import Worker
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.deregistration import let_go
from hosting.services.fleet.worker_agents import projects_of


class WorkerView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A worker; `activeCount` is what it says, and `sessionCount` what the server knows. Times are milliseconds."""

    id: str
    worker_id: str
    hostname: str
    version: str | UnsetType = UNSET
    status: str
    capacity: int
    active_count: int
    session_count: int
    load: dict[str, Any] | UnsetType = UNSET
    project: str | UnsetType = UNSET
    projects: list[str]
    agent_ids: list[str]
    capabilities: list[str]
    host_status: HostStatus | UnsetType = UNSET
    registered_at: int
    last_heartbeat: int

    @classmethod
    def of(cls, worker: Worker, lease_seconds: float) -> "WorkerView":
        """Show one."""
        return cls(**_shown(worker, lease_seconds))


class OneWorkerView(WorkerView, frozen=True, kw_only=True, rename="camel"):
    """A worker with its sessions, with what it has said in its own words, and what it is still to do."""

    sessions: list[str]
    pending_mutations: list[MutationView]
    registration: Any
    heartbeat: Any | UnsetType = UNSET


class SummaryView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fleet in numbers, of the workers that are there; those that get no more work have no room for any."""

    total_workers: int
    active_workers: int
    total_capacity: int
    total_active: int
    available_capacity: int
    queue_length: int


class WorkersView(Struct, frozen=True, kw_only=True):
    """The fleet, whoever was heard of last first."""

    workers: list[WorkerView]
    summary: SummaryView


class DeregisteredView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A worker that has gone, and the sessions that it had, which are on offer again."""

    deregistered: bool = True
    unclaimed_sessions: list[str]


class ConfigView(Struct, frozen=True):
    """What there is work for."""

    projects: list[str]


@get("/api/workers", responses=answers("storage-unavailable"))
async def list_workers(caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]) -> WorkersView:
    """List the workers, at most a thousand; a project's key shows those of its project."""
    own = caller.identity.project
    found = [each for each in await fleet.workers.listed(caller.tenant) if own in {None, each.project}]
    there = [each for each in found if not each.is_offline(fleet.lease_seconds)]
    open_to_work = (each for each in there if not each.is_drained)
    return WorkersView(
        workers=[WorkerView.of(each, fleet.lease_seconds) for each in found],
        summary=SummaryView(
            total_workers=len(found),
            active_workers=len(there),
            total_capacity=sum(each.capacity for each in there),
            total_active=sum(each.holds for each in there),
            available_capacity=sum(max(0, each.capacity - each.holds) for each in open_to_work),
            queue_length=await fleet.work.pending(caller.tenant),
        ),
    )


@get("/api/workers/{worker_id:str}", responses=answers("worker-not-found", "storage-unavailable"))
async def get_worker(
    worker_id: FromPath[str], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> OneWorkerView:
    """Show a worker, with the sessions that it has."""
    worker = await worker_named(fleet, caller.identity, worker_id)
    held = await fleet.work.held(caller.tenant, worker.id)
    mutations = await fleet.mutations.pending(caller.tenant, worker.id)
    return OneWorkerView(
        **_shown(worker, fleet.lease_seconds),
        sessions=[item.id for item in held],
        pending_mutations=[MutationView.of(each) for each in mutations],
        registration=Raw(worker.raw),
        heartbeat=UNSET if worker.heartbeat is None else Raw(worker.heartbeat),
    )


@delete("/api/workers/{worker_id:str}", status_code=200, responses=answers("worker-not-found", "storage-unavailable"))
async def deregister(
    worker_id: FromPath[str], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> DeregisteredView:
    """Let a worker go; what it had is offered to others at once."""
    worker = await worker_named(fleet, caller.identity, worker_id)
    return DeregisteredView(unclaimed_sessions=list(await let_go(fleet, worker)))


@get("/api/config", responses=answers("storage-unavailable"))
async def get_config(caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]) -> ConfigView:
    """Tell for which projects there can be work; to a project's caller, no others."""
    own = caller.identity.project
    return ConfigView([each for each in await projects_of(fleet, caller.tenant) if own in {None, each}])


def _shown(worker: Worker, lease_seconds: float) -> dict[str, Any]:
    return {
        "id": worker.id,
        "worker_id": worker.id,
        "hostname": worker.hostname,
        "version": worker.version or UNSET,
        "status": worker.shown_status(lease_seconds),
        "capacity": worker.capacity,
        "active_count": worker.active_count,
        "session_count": worker.holds,
        "load": UNSET if worker.load is None else worker.load,
        "project": worker.project or UNSET,
        "projects": list(worker.projects),
        "agent_ids": list(worker.agents),
        "capabilities": list(worker.capabilities),
        "host_status": worker.host_status or UNSET,
        "registered_at": int(worker.registered_at.timestamp() * 1000),
        "last_heartbeat": int(worker.last_heartbeat.timestamp() * 1000),
    }
