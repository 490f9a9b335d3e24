"""The inbox of an item: what whoever works on it is given to hear."""

from collections.abc import Collection
from typing import Final

from hosting.domain.inbox_message import InboxMessage, Lane, stop_of
from hosting.domain.work_errors import InboxMessageMissing
from hosting.domain.work_item import WorkItem, WorkItemId
from hosting.domain.worker import Worker
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.interactions import hear_answers

MOST_AT_ONCE: Final = 10


async def inbox_of(
    fleet: Fleet, worker: Worker, items: Collection[WorkItem], *, with_turns: bool
) -> dict[WorkItemId, list[InboxMessage]]:
    """Hand over what a worker has not heard yet of the items that it has, and of those that were taken from it.

    Without `with_turns` what users say is left out: workers with a token are told of it when they refresh their locks.

    Raises:
        StorageUnavailable: nothing was handed over, or some of it was lost on the way.
    """
    await hear_answers(fleet, items)
    return await fleet.inbox.deliver(worker.id, items, most=MOST_AT_ONCE, with_turns=with_turns)


async def stop_workers(fleet: Fleet, items: Collection[WorkItem]) -> None:
    """Tell the workers that have these items to stop; told twice, they hear it once.

    Raises:
        StorageUnavailable: they are not told.
    """
    now = fleet.runtime.clock()
    await fleet.inbox.put([stop_of(item.id, item.worker_id, now) for item in items if item.worker_id is not None])


async def acknowledge(fleet: Fleet, item: WorkItem, message_id: str, lane: Lane) -> None:
    """Note that a message was heard.

    Raises:
        InboxMessageMissing: there is none in that lane.
        StorageUnavailable: that is not noted.
    """
    message = await fleet.inbox.message(item, message_id)
    if message is None or message.lane is not lane:
        raise InboxMessageMissing
    await fleet.inbox.acknowledge(item, [message.id])
