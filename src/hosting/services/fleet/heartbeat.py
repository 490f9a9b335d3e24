"""Heartbeats: a worker shows that it is there, and hears what there is for it to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hosting.domain.admission import WorkerMissing
from hosting.domain.mutation import Mutation
from hosting.domain.worker import Heartbeat, Worker
from hosting.services.fleet.core import Fleet


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a worker hears: when that was, how many items are on offer, and what it is still to do to its host."""

    at: datetime
    pending_work: int
    mutations: list[Mutation]


async def take_heartbeat(
    fleet: Fleet, worker: Worker, heartbeat: Heartbeat, results: Mapping[str, str | None]
) -> Acknowledged:
    """Note a heartbeat and what became of mutations, and prolong the leases of all that the worker has.

    `results` are errors, or None, by the ids of mutations; said again they change nothing.

    Raises:
        WorkerMissing: it was let go just now.
        StorageUnavailable: whether it was noted is not known; said again, it does no harm.
    """
    now = fleet.runtime.clock()
    if not await fleet.workers.beat(worker.tenant, worker.id, heartbeat):
        raise WorkerMissing
    await fleet.work.renew(worker.tenant, worker.id, fleet.lease_seconds)
    await fleet.mutations.settle(worker.tenant, worker.id, results, now)
    mutations = await fleet.mutations.pending(worker.tenant, worker.id)
    return Acknowledged(now, await fleet.work.pending(worker.tenant), mutations)
