"""Polling: the next items for a worker, which has them when it hears of them."""

import asyncio
from typing import Final

from events.serializer import Stamp
from events.work import WorkClaimed
from hosting.domain.worker import Worker
from hosting.ports.units import Committed, Unit
from hosting.ports.work import Claim
from hosting.services.fleet.core import Fleet

MOST_AT_ONCE: Final = 5


async def poll_work(fleet: Fleet, worker: Worker) -> list[Claim]:
    """Claim the next items for a worker: at most five, never more than it has room for, and tell their readers.

    Raises:
        StorageUnavailable: nothing was claimed, or what was comes back when its lease has run out.
    """
    claims = await fleet.work.claim(worker, MOST_AT_ONCE, fleet.lease_seconds)
    told = await asyncio.gather(*(_tell(fleet, claim) for claim in claims))
    return [claim for claim, is_told in zip(claims, told, strict=True) if is_told]


async def _tell(fleet: Fleet, claim: Claim) -> bool:
    """Tell that an item is claimed; False when it was taken away in the meantime."""
    item, scope, now = claim.item, claim.item.scope, fleet.runtime.clock()
    event = WorkClaimed(work_item_id=item.id, worker_id=claim.lease.node, attempt=item.claim)
    encoded = fleet.runtime.serializer.encode(event, Stamp(scope.session_id, scope.branch_id).at(now))
    unit = Unit(scope.tenant, item.branch_key, item.run_id, claim.lease.fence, events=[encoded])
    return isinstance(await fleet.runtime.writer.append_to(unit), Committed)
