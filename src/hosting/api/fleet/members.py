"""Which worker is asking."""

from events.ids import is_client_id
from hosting.domain.admission import Forbidden, NotTheOwner, WorkerMissing
from hosting.domain.errors import InvalidRequest
from hosting.domain.identity import CallerKind, Identity
from hosting.domain.work_item import WorkerId
from hosting.domain.worker import Worker
from hosting.services.fleet.core import Fleet


async def worker_named(fleet: Fleet, identity: Identity, worker_id: str) -> Worker:
    """Return the worker that a path names; the token of a worker opens its own alone, a project's key its project's.

    Raises:
        WorkerMissing: the tenant has none of that name.
        Forbidden: it is another worker's, or another project's.
    """
    could_be = is_client_id(worker_id)
    worker = await fleet.workers.worker(identity.tenant, WorkerId(worker_id)) if could_be else None
    if worker is None:
        raise WorkerMissing
    if identity.kind is CallerKind.WORKER and identity.worker_id != worker_id:
        raise Forbidden("This token belongs to another worker.")
    if identity.project not in {None, worker.project}:
        raise Forbidden("This key is for another project.")
    return worker


def asking_worker(identity: Identity, said: str | None) -> WorkerId:
    """Return which worker asks: the one whose token it is, else the one that the body names, which proves nothing yet.

    Raises:
        NotTheOwner: the body names another one than the token.
        InvalidRequest: nobody says which worker it is.
    """
    if identity.kind is CallerKind.WORKER and identity.worker_id is not None:
        if said not in {None, "", identity.worker_id}:
            raise NotTheOwner
        said = identity.worker_id
    if not said:
        raise InvalidRequest("`workerId` is missing - at `$.workerId`.")
    return WorkerId(said)
