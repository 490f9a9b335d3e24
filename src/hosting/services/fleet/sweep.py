"""Looking now and then for items whose worker is lost, and for runs that no worker is to go on with."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Final

import structlog

from events.work import ReturnReason
from hosting.domain.errors import Conflict, Invalid, NotFound, StorageUnavailable
from hosting.domain.inbox_message import InboxMessage
from hosting.domain.work_item import WorkItem
from hosting.runtime.untold import begin_with_untold
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.inbox import stop_workers
from hosting.services.fleet.returning import return_item

_log = structlog.get_logger("branchline.fleet")

_AT_ONCE: Final = 256


async def watch_fleet(fleet: Fleet, *, every_seconds: float) -> None:
    """Do so until cancelled; every server does it for the items of all."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await sweep(fleet)
        except StorageUnavailable as error:
            _log.warning("cannot look after the fleet", why=error.why)


async def sweep(fleet: Fleet) -> None:
    """Offer what was lost again, or give it up; end the runs of what was given up, or that somebody interrupted."""
    strays = await fleet.work.strays(_AT_ONCE)
    # All at once: they go into few commits, and two hundred that are lost together must not wait for each other.
    await _each((item, _lose(fleet, item)) for item in strays.lapsed)
    known = {item.id for item in strays.lapsed}
    left = [item for item in strays.orphaned if item.id not in known]
    await _each((item, return_item(fleet, item, ReturnReason.DEREGISTERED)) for item in left)
    await _end_unwanted(fleet, strays.unwanted)
    await _each((item, _pass_on(fleet, item, words)) for item, words in await fleet.inbox.untold(_AT_ONCE))


async def _each(errands: Iterable[tuple[WorkItem, Awaitable[object]]]) -> None:
    await asyncio.gather(*(_alone(item, errand) for item, errand in errands))


async def _alone(item: WorkItem, errand: Awaitable[object]) -> None:
    """See to one item; what is wrong with it must not keep the others from being seen to, now and from now on."""
    try:
        await errand
    except StorageUnavailable as error:
        _log.warning("cannot look after a work item", item=item.id, why=error.why)
    except Exception:  # noqa: BLE001 - whatever it is
        _log.exception("a work item cannot be looked after", item=item.id)


async def _pass_on(fleet: Fleet, item: WorkItem, words: Sequence[InboxMessage]) -> None:
    """Let a run begin with what was accepted for one that ended before its worker could hear it."""
    try:
        if await begin_with_untold(fleet.runtime, item, words):
            _log.info("a run begins with what no worker was told", item=item.id, messages=len(words))
    except (NotFound, Conflict, Invalid) as error:
        _log.warning("nobody is there for what no worker was told", item=item.id, why=str(error))
        await fleet.inbox.acknowledge(item, [each.id for each in words])


async def _lose(fleet: Fleet, item: WorkItem) -> None:
    if await return_item(fleet, item, ReturnReason.LEASE_EXPIRED):
        _log.warning("a worker was lost", item=item.id, worker=item.worker_id, attempt=item.attempts + 1)


async def _end_unwanted(fleet: Fleet, unwanted: Sequence[WorkItem]) -> None:
    if not unwanted:
        return
    # Before they are taken: whoever stops between the two has told it too early, and never not at all.
    await stop_workers(fleet, unwanted)
    await fleet.work.reclaim([item.id for item in unwanted])
    holder = fleet.runtime.holder
    for lease in await fleet.leases.claim([item.run_id for item in unwanted], holder.node, holder.seconds):
        # Whoever executes it here only ends it.
        fleet.runtime.hold(lease)
