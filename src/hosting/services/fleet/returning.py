"""Taking items back: what a worker refuses, leaves, or is lost with, is offered again or given up."""

from typing import Final

from events.serializer import Stamp
from events.work import ReturnReason, WorkReturned
from hosting.domain.work_item import WorkerId, WorkItem, WorkState
from hosting.ports.units import Committed, ReturnWork, Unit
from hosting.services.fleet.core import Fleet

_AVOID_SECONDS: Final = 30.0
_LONGEST: Final = 500


async def return_item(fleet: Fleet, item: WorkItem, reason: ReturnReason, message: str | None = None) -> bool:
    """Take an item from the worker that has it, and say so to its readers; False when that has it no more.

    One that was lost with its worker counts as an attempt, and is given up after the last one.

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
