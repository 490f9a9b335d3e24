"""Stopping a session, as whoever runs the fleet does it."""

from events.ids import is_client_id
from events.interruption import InterruptionRequest
from hosting.domain.errors import BranchMissing, RunNotActive
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkItem, WorkItemId
from hosting.domain.worker import Worker
from hosting.runtime.interrupt import interrupt_run
from hosting.services.fleet.core import Fleet

_REASON = "Stopped by an operator."


async def stop_session(fleet: Fleet, worker: Worker, session_id: str) -> bool:
    """Interrupt the run of a session that a worker has; False when it has none such.

    The worker hears of it as of any interrupt: by its inbox, its lock and its session's status.

    Raises:
        StorageUnavailable: nothing was interrupted, or that is not known.
    """
    item = await session_named(fleet, worker.tenant, session_id)
    if item is None or item.worker_id != worker.id or not item.state.is_held:
        return False
    branch = await fleet.runtime.tenant(worker.tenant).branch(item.scope.session_id, item.scope.branch_id)
    active = None if branch is None else await fleet.runtime.tenant(worker.tenant).active_run(branch.key)
    if branch is None or active is None or active.id != item.run_id:
        return False
    try:
        await interrupt_run(fleet.runtime, branch, InterruptionRequest(reason=_REASON))
    except (RunNotActive, BranchMissing):
        return False
    return True


async def session_named(fleet: Fleet, tenant: TenantId, session_id: str) -> WorkItem | None:
    """Return the session with an id that an operator has given.

    Raises:
        StorageUnavailable: whether there is one is not known.
    """
    return await fleet.work.item(tenant, WorkItemId(session_id)) if is_client_id(session_id) else None
