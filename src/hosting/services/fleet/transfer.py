"""Handing an item on: a worker that has registered anew goes on with what it had under its old name."""

from enum import StrEnum
from typing import Final

from hosting.domain.admission import NotTheOwner
from hosting.domain.work_item import Holding, WorkerId, WorkItem
from hosting.domain.worker import Worker
from hosting.ports.work import Claim
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.poll import tell_claimed

_SESSION_MISSING: Final = "Session not found"


class Untransferred(StrEnum):
    """Why an item stays where it is, for no fault of whom it is."""

    ENDED = "Session has ended"
    OTHER_PROJECT = "Worker is not authorized for this project"
    OTHER_AGENT = "Worker does not work for this agent"
    NO_ROOM = "Worker has no room for more work"
    MOVING = "Session is changing hands; try again"


async def transfer_item(fleet: Fleet, holding: Holding, worker: Worker, *, trusted: bool) -> Claim | str:
    """Give an item that one worker has to another, or say why it stays; its readers are told.

    Who is not `trusted` takes over only from a worker that is gone, silent, or on the same machine by the same key:
    what a worker calls its machine is for it to say.

    Raises:
        NotTheOwner: it is not to take over from this worker.
        StorageUnavailable: nothing was changed, or that is not known.
    """
    item = await fleet.work.item(holding.tenant, holding.item_id)
    if item is None:
        return _SESSION_MISSING
    if not trusted and not await _may_replace(fleet, holding, worker):
        raise NotTheOwner
    refusal = _refusal(item, holding.worker_id, worker)
    if refusal is not None:
        return refusal
    moved = await fleet.work.move(holding, worker, fleet.lease_seconds)
    if moved is None:
        return Untransferred.MOVING
    fleet.desks.forget(item.id)
    return moved if await tell_claimed(fleet, moved) else Untransferred.MOVING


async def _may_replace(fleet: Fleet, holding: Holding, worker: Worker) -> bool:
    before = await fleet.workers.worker(holding.tenant, holding.worker_id)
    if before is None or before.is_offline(fleet.lease_seconds):
        return True
    return (before.hostname, before.key_id) == (worker.hostname, worker.key_id)


def _refusal(item: WorkItem, before: WorkerId, worker: Worker) -> str | None:
    if item.worker_id != before:
        return f"Session owned by different worker: {item.worker_id or 'none'}"
    if item.state.is_ended:
        return Untransferred.ENDED
    if not worker.is_for_project(item):
        return Untransferred.OTHER_PROJECT
    if not worker.is_for_agent(item):
        return Untransferred.OTHER_AGENT
    if worker.id != before and worker.holds >= worker.capacity:
        return Untransferred.NO_ROOM
    return None
