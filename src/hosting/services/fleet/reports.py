"""What workers say of how their items stand, and what these come to in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from events.interruption import InterruptionSource
from events.runs import RunStatus
from events.work import WorkProgress
from hosting.domain.interrupt import Interrupt
from hosting.domain.run import COMPLETED, Ending
from hosting.domain.work_errors import WorkEnded, WorkItemMissing, WorkNotThere
from hosting.domain.work_item import Holding, WorkItem, WorkReport, WorkState
from hosting.runtime.closing import INTERRUPTED_REASON
from hosting.runtime.desk import Desk
from hosting.services.fleet.core import Fleet
from middleware.errors import sentence_of

TERMINAL: Final = (WorkState.COMPLETED, WorkState.FAILED, WorkState.STOPPED)
PLAN: Final = "plan"
LINKS: Final = "external_urls"
"""Types of activities that are told of reports which are none."""

_WORKER_FAILED: Final = "WorkerFailed"
_FAILED: Final = "The worker failed."
_STOPPED: Final = "Stopped by its worker."


async def report_state(fleet: Fleet, holding: Holding, state: WorkState, said: WorkReport) -> WorkItem:
    """Take a worker's word for how its item stands, and return the item.

    A terminal state ends the run; said again, it changes nothing.

    Raises:
        WorkItemMissing, NotTheOwner: it is no item of this worker's.
        WorkNotThere: the item cannot get there from where it is.
        StorageUnavailable: nothing was changed, or that is not known.
    """

    async def work(desk: Desk) -> None:
        if desk.state is WorkState.FINALIZING and state is WorkState.RUNNING:
            raise WorkNotThere(desk.item.id, desk.state, state)
        if state not in TERMINAL:
            desk.update(state, said)
            return
        wish = await _wish(fleet, desk) if state is WorkState.STOPPED else None
        desk.update(None, said)
        await desk.finish(_ending(state, said, wish), wish)

    try:
        await fleet.desks.write(holding, work)
    except WorkEnded as ended:
        if ended.state is not state:
            raise WorkNotThere(holding.item_id, ended.state, state) from ended
    item = await fleet.work.item(holding.tenant, holding.item_id)
    if item is None:
        raise WorkItemMissing
    return item


async def is_stopped(fleet: Fleet, item: WorkItem) -> bool:
    """Say whether somebody wants the end of an item that a worker has, or had."""
    if item.state.is_ended:
        return item.state is WorkState.STOPPED
    return any(wish.flow is None for wish in await fleet.watch.interrupts([item.run_id]))


async def complete(fleet: Fleet, holding: Holding, summary: str, plan: Sequence[Mapping[str, Any]] = ()) -> None:
    """Take the text that a worker's agent ends with, which is said unless it was already; raises as `Desks.write`."""

    async def work(desk: Desk) -> None:
        is_whole = (await desk.relayed()).is_whole
        if plan:
            done = sum(step["state"] == "completed" for step in plan)
            desk.tell(PLAN, f"{done} of {len(plan)} steps are done.", {"planItems": list(plan)})
        await desk.conclude(summary, is_whole=is_whole)

    await fleet.desks.write(holding, work)


async def tell_progress(fleet: Fleet, holding: Holding, message: str, milestone: str | None) -> None:
    """Tell how far a worker is; raises as `Desks.write`."""

    async def work(desk: Desk) -> None:
        desk.put(WorkProgress(work_item_id=holding.item_id, message=message, milestone=milestone))

    await fleet.desks.write(holding, work)


async def tell_links(fleet: Fleet, holding: Holding, links: Sequence[dict[str, str]]) -> None:
    """Keep where else an item can be looked at, and tell it; raises as `Desks.write`."""

    async def work(desk: Desk) -> None:
        desk.update(report=WorkReport(external_urls=tuple(links)))
        desk.tell(LINKS, ", ".join(link["label"] for link in links), {"externalUrls": list(links)})

    await fleet.desks.write(holding, work)


async def _wish(fleet: Fleet, desk: Desk) -> Interrupt:
    """Return why the run is stopped: since somebody wished it, or by the worker's own doing."""
    run_id = desk.item.run_id
    wishes = await fleet.watch.interrupts([run_id])
    own = Interrupt(run_id, _STOPPED, InterruptionSource.SYSTEM)
    return next((wish for wish in wishes if wish.flow is None), own)


def _ending(state: WorkState, said: WorkReport, wish: Interrupt | None) -> Ending:
    if wish is not None:
        return Ending(RunStatus.CANCELLED, reason=wish.reason, termination=INTERRUPTED_REASON)
    if state is WorkState.COMPLETED:
        return COMPLETED
    return Ending(RunStatus.FAILED, _WORKER_FAILED, said.error or _FAILED, is_retryable=True)


def bounded(message: str | None) -> str | None:
    """Return a worker's sentence as it can be stored and sent."""
    return sentence_of(ValueError(message), _FAILED) if message else None
