"""Which worker a report on a session counts for."""

from events.ids import is_client_id
from hosting.api.fleet.members import asking_worker
from hosting.domain.admission import NotTheOwner
from hosting.domain.identity import CallerKind, Identity
from hosting.domain.work_errors import WorkEnded, WorkItemMissing
from hosting.domain.work_item import Holding, WorkerId, WorkItem, WorkItemId
from hosting.services.fleet.core import Fleet


async def holder_of(fleet: Fleet, identity: Identity, session_id: str, said: str | None) -> Holding:
    """Return what is reported on, and by which worker: its token or the body says who that is.

    Raises:
        WorkItemMissing: there is no such session.
        NotTheOwner: the body names another worker than the token, or one of another project than the key.
        InvalidRequest: nobody says which worker it is.
    """
    if not is_client_id(session_id):
        raise WorkItemMissing
    worker_id = asking_worker(identity, said)
    if not is_client_id(worker_id) or not await _is_of_project(fleet, identity, worker_id):
        raise NotTheOwner
    return Holding(identity.tenant, WorkItemId(session_id), worker_id)


async def holder_or_any(fleet: Fleet, identity: Identity, session_id: str, said: str | None = None) -> Holding:
    """Return the same; a key alone, without a worker's name, speaks for the worker that has the session.

    Raises:
        WorkItemMissing, NotTheOwner: as above.
        WorkEnded: nobody has it any more.
    """
    if said or identity.kind is CallerKind.WORKER:
        return await holder_of(fleet, identity, session_id, said)
    item = await session_named(fleet, identity, session_id)
    if item.state.is_ended:
        raise WorkEnded(item.id, item.state)
    if item.worker_id is None:
        raise NotTheOwner
    return Holding(identity.tenant, item.id, item.worker_id)


async def session_named(fleet: Fleet, identity: Identity, session_id: str) -> WorkItem:
    """Return a session of the caller's; to a key of a project those of others are not there.

    Raises:
        WorkItemMissing: there is none.
    """
    could_be = is_client_id(session_id)
    item = await fleet.work.item(identity.tenant, WorkItemId(session_id)) if could_be else None
    return await seen_by(fleet, identity, item)


async def seen_by(fleet: Fleet, identity: Identity, item: WorkItem | None) -> WorkItem:
    """Return a session of the caller's tenant, if the caller may know of it.

    Raises:
        WorkItemMissing: there is none, or it is another project's.
    """
    if item is None or (identity.project is not None and item.terms.project not in {None, identity.project}):
        raise WorkItemMissing
    # One of no project is its worker's project's for good: after its end it is not open to the keys of all others.
    is_taken = item.state.is_held or (item.state.is_ended and item.terms.project is None)
    if is_taken and item.worker_id is not None and not await _is_of_project(fleet, identity, item.worker_id):
        raise WorkItemMissing
    return item


async def _is_of_project(fleet: Fleet, identity: Identity, worker_id: WorkerId) -> bool:
    """Say whether a key may speak for a worker: one of a project does for its workers alone."""
    if identity.kind is CallerKind.WORKER or identity.project is None:
        return True
    worker = await fleet.workers.worker(identity.tenant, worker_id)
    return worker is not None and worker.project == identity.project
