"""Taking items back: what a worker refuses, leaves, or is lost with, is offered again or given up."""

from typing import Final

from events.serializer import Stamp
from events.work import ReturnReason, WorkReturned
from hosting.domain.admission import NotTheOwner
from hosting.domain.errors import StorageUnavailable
from hosting.domain.work_errors import WorkEnded, WorkItemMissing
from hosting.domain.work_item import Holding, WorkerId, WorkItem, WorkState
from hosting.ports.units import Committed, ReturnWork, Unit
from hosting.services.fleet.core import Fleet

_AVOID_SECONDS: Final = 30.0
_LONGEST: Final = 500
_TRIES: Final = 5


async def refuse_item(fleet: Fleet, holding: Holding, reason: str | None) -> None:
    """Take an item back that a worker does not want; said again, it changes nothing.

    Raises:
        WorkItemMissing: there is no such item.
        NotTheOwner: another worker has it, or none.
        WorkEnded: nothing more comes of it.
        StorageUnavailable: nothing was changed, or that is not known.
    """
    for _ in range(_TRIES):
        item = await fleet.work.item(holding.tenant, holding.item_id)
        if item is None:
            raise WorkItemMissing
        if item.state is WorkState.PENDING and item.refused_by == holding.worker_id:
            return
        if item.worker_id != holding.worker_id:
            raise NotTheOwner
        if item.state.is_ended:
            raise WorkEnded(item.id, item.state)
        # Refused when its fence has moved since it was read: another node writes what the worker had told before.
        if await return_item(fleet, item, ReturnReason.REFUSED, reason):
            return
    raise StorageUnavailable("the item is being written")


async def return_item(fleet: Fleet, item: WorkItem, reason: ReturnReason, message: str | None = None) -> bool:
    """Take an item from the worker that has it, and say so to its readers; False when that has it no more.

    One that was refused keeps its place; any other is a priority more urgent from now on, and behind those that have
    it. One that was lost with its worker counts as an attempt, and is given up after the last one.

    Raises:
        StorageUnavailable: nothing was changed, or that is not known.
    """
    if item.worker_id is None:
        return False
    now, scope = fleet.runtime.clock(), item.scope
    is_lost = reason is ReturnReason.LEASE_EXPIRED
    is_given_up = is_lost and item.attempts + 1 >= fleet.attempts
    event = WorkReturned(
        work_item_id=item.id,
        worker_id=item.worker_id,
        reason=reason,
        is_given_up=is_given_up,
        message=message[:_LONGEST] if message else None,
    )
    change = ReturnWork(
        item.id,
        item.run_id,
        WorkerId(item.worker_id),
        now,
        lost=is_lost,
        hastened=reason is not ReturnReason.REFUSED,
        state=WorkState.DEAD if is_given_up else WorkState.PENDING,
        avoid_seconds=_AVOID_SECONDS if reason is ReturnReason.REFUSED else 0.0,
    )
    stamp = Stamp(scope.session_id, scope.branch_id).at(now)
    events = [fleet.runtime.serializer.encode(event, stamp)]
    unit = Unit(scope.tenant, item.branch_key, item.run_id, item.fence, [change], events)
    if not isinstance(await fleet.runtime.writer.append_to(unit), Committed):
        return False
    fleet.desks.forget(item.id)
    return True
