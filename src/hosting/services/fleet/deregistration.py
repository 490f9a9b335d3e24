"""Workers that go."""

from typing import Final

from events.work import ReturnReason
from hosting.domain.admission import WorkerMissing
from hosting.domain.work_item import WorkItemId
from hosting.domain.worker import Worker
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.returning import return_item

_TRIES: Final = 5


async def let_go(fleet: Fleet, worker: Worker) -> list[WorkItemId]:
    """Let a worker go, and offer what it had again at once; return that.

    Raises:
        WorkerMissing: it has gone already.
        StorageUnavailable: whether it is gone is not known; what it had is offered when the leases have run out.
    """
    # Before it goes: whoever finds something in the hands of nobody takes it for lost with its worker.
    left = await _offer_again(fleet, worker)
    if not await fleet.workers.remove(worker.tenant, worker.id):
        raise WorkerMissing
    # What a poll of its own took in between.
    left |= await _offer_again(fleet, worker)
    return sorted(left)


async def _offer_again(fleet: Fleet, worker: Worker) -> set[WorkItemId]:
    """Offer what a worker has; what another node is writing of it just now makes one more try necessary."""
    offered: set[WorkItemId] = set()
    for _ in range(_TRIES):
        held = await fleet.work.held(worker.tenant, worker.id)
        if not held:
            break
        offered |= {item.id for item in held if await return_item(fleet, item, ReturnReason.DEREGISTERED)}
    return offered
