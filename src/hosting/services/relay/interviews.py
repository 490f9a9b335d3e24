"""Interviews that somebody ends who is not their agent."""

from events.work import InterviewCompleted
from hosting.domain.admission import NotTheOwner
from hosting.domain.run import COMPLETED
from hosting.domain.scope import TenantId
from hosting.domain.work_errors import WorkEnded, WorkItemMissing, WorkNotThere
from hosting.domain.work_item import Holding, WorkItem, WorkItemId, WorkReport, WorkState
from hosting.ports.work import WorkQueue
from hosting.runtime.desk import Desk
from hosting.runtime.desks import Desks


async def end_interview(desks: Desks, work: WorkQueue, tenant: TenantId, item_id: WorkItemId) -> None:
    """End an interview, and with it the run, as completed; done again it changes nothing.

    Its worker hears of it when it next asks how its session stands, or reports.

    Raises:
        WorkItemMissing: there is none.
        WorkNotThere: no worker has it, or its run has ended otherwise.
        StorageUnavailable: nothing was changed, or that is not known.
    """
    item = await work.item(tenant, item_id)
    if item is None:
        raise WorkItemMissing
    if item.state is WorkState.COMPLETED:
        return
    if item.worker_id is None or not item.state.is_held:
        raise WorkNotThere(item_id, item.state, WorkState.COMPLETED)
    try:
        await desks.write(Holding(tenant, item_id, item.worker_id), _end)
    except (WorkEnded, NotTheOwner) as error:
        await _check_ended(work, item, error)
    desks.forget(item_id)


async def _end(desk: Desk) -> None:
    desk.end_message()
    desk.update(None, WorkReport(is_interview_over=True))
    desk.put(InterviewCompleted(work_item_id=desk.item.id))
    await desk.finish(COMPLETED)


async def _check_ended(work: WorkQueue, before: WorkItem, error: Exception) -> None:
    """Make sure that it was completed by somebody else in the meantime."""
    item = await work.item(before.scope.tenant, before.id) or before
    if item.state is not WorkState.COMPLETED:
        raise WorkNotThere(item.id, item.state, WorkState.COMPLETED) from error
