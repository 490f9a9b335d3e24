"""Refreshing a lock: a worker shows that it is at an item, and hears what it is to know."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hosting.domain.inbox_message import InboxMessage
from hosting.domain.work_errors import WorkItemMissing
from hosting.domain.work_item import Holding
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.inbox import MOST_AT_ONCE
from hosting.services.fleet.interactions import hear_answers
from hosting.services.fleet.reports import is_stopped


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a worker hears; `is_owner` is False only where the item is another's, or nobody's any more.

    With `stop` it is to stop in good order, and nobody takes the item up again.
    """

    is_owner: bool
    stop: bool = False
    inject: InboxMessage | None = None
    results: Sequence[InboxMessage] = ()


async def refresh_lock(
    fleet: Fleet, holding: Holding, acknowledged: Collection[str] = (), *, with_turns: bool
) -> Refreshed:
    """Prolong a worker's lease of its item, and return what it is to hear; `acknowledged` are messages that it has.

    Raises:
        WorkItemMissing: there is no such item.
        StorageUnavailable: nothing can be said of it now.
    """
    # First: whatever is found afterwards, nobody takes the item from a worker that has just shown itself.
    await fleet.desks.renew(holding)
    item = await fleet.work.item(holding.tenant, holding.item_id)
    if item is None:
        raise WorkItemMissing
    if item.worker_id != holding.worker_id:
        return Refreshed(is_owner=False)
    if acknowledged:
        await fleet.inbox.acknowledge(item, acknowledged)
    if await is_stopped(fleet, item):
        # Who is told of a lost lock is stopped at once, and one that was interrupted is to end in good order.
        return Refreshed(is_owner=True, stop=True)
    if not item.state.is_held:
        return Refreshed(is_owner=False)
    await hear_answers(fleet, [item])
    inject = await fleet.inbox.turn(item) if with_turns else None
    return Refreshed(is_owner=True, inject=inject, results=await fleet.inbox.results(item, MOST_AT_ONCE))
