"""What workers say of their items."""

from typing import Final

from events.runs import RunStatus
from hosting.domain.run import COMPLETED, Ending
from hosting.domain.work_errors import WorkEnded, WorkNotThere
from hosting.domain.work_item import Holding, WorkReport, WorkState
from hosting.runtime.desk import Desk
from hosting.services.fleet.core import Fleet

ENDED: Final = (WorkState.COMPLETED, WorkState.FAILED, WorkState.STOPPED)
_WORKER_FAILED: Final = "WorkerFailed"


async def report_state(fleet: Fleet, holding: Holding, state: WorkState, said: WorkReport) -> None:
    """Take a worker's word for how its item stands; a terminal one ends the run, and said again changes nothing.

    Raises:
        WorkItemMissing, NotTheOwner: it is no item of this worker's.
        WorkNotThere: the item cannot get there from where it is.
        StorageUnavailable: nothing was changed, or that is not known.
    """

    async def work(desk: Desk) -> None:
        desk.update(None if state in ENDED else state, said)
        if state in ENDED:
            await desk.finish(_ending(state, said))

    try:
        await fleet.desks.write(holding, work)
    except WorkEnded as ended:
        if ended.state is not state:
            raise WorkNotThere(holding.item_id, ended.state, state) from ended
    if state in ENDED:
        fleet.desks.forget(holding.item_id)


async def complete(fleet: Fleet, holding: Holding, summary: str) -> None:
    """Take the text that a worker's agent ends with, unless it was said already; raises as `report_state` does."""

    async def work(desk: Desk) -> None:
        desk.end_message()
        if desk.last_said.strip() != summary.strip():
            await desk.say(summary)
            desk.end_message()

    await fleet.desks.write(holding, work)


def _ending(state: WorkState, said: WorkReport) -> Ending:
    if state is WorkState.COMPLETED:
        return COMPLETED
    if state is WorkState.STOPPED:
        return Ending(RunStatus.CANCELLED, reason="Stopped by its worker.")
    return Ending(RunStatus.FAILED, _WORKER_FAILED, said.error or "The worker failed.", is_retryable=True)
