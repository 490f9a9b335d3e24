"""Which worker a report on a session counts for."""

from events.ids import is_client_id
from hosting.api.fleet.members import held_by
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
    holding = held_by(identity, session_id, said)
    if not is_client_id(holding.worker_id):
        raise NotTheOwner
    await _check_project(fleet, identity, holding.worker_id)
    return holding


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
    await _check_project(fleet, identity, item.worker_id)
    return Holding(identity.tenant, item.id, item.worker_id)


async def session_named(fleet: Fleet, identity: Identity, session_id: str) -> WorkItem:
    """Return a session of the caller's; to a key of a project those of others are not there.

    Raises:
        WorkItemMissing: there is none.
    """
    could_be = is_client_id(session_id)
    item = await fleet.work.item(identity.tenant, WorkItemId(session_id)) if could_be else None
    if item is None or (identity.project is not None and item.terms.project not in {None, identity.project}):
        raise WorkItemMissing
    return item


async def _check_project(fleet: Fleet, identity: Identity, worker_id: WorkerId) -> None:
    if identity.kind is CallerKind.WORKER or identity.project is None:
        return
    worker = await fleet.workers.worker(identity.tenant, worker_id)
    if worker is not None and worker.project != identity.project:
        raise NotTheOwner
