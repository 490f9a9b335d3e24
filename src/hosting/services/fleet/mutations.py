"""Asking workers to do something to their hosts."""

from typing import Any

from hosting.domain.admission import WorkerMissing
from hosting.domain.mutation import Mutation, MutationOp
from hosting.domain.work_errors import WorkItemMissing
from hosting.domain.worker import Worker
from hosting.runtime.keyed import Keyed
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.stopping import session_named, stop_session


async def ask_for(
    fleet: Fleet,
    worker: Worker,
    op: MutationOp,
    params: dict[str, Any],
    *,
    by: str,
    keyed: Keyed[Mutation] | None = None,
) -> Mutation:
    """Ask a worker for a mutation; its heartbeats bring it until it says what became of it.

    A session of its that is to be killed is interrupted as well.

    Raises:
        WorkItemMissing: the session that is to be killed is none of the tenant's.
        WorkerMissing: it was let go just now; a session that was to be killed is stopped all the same.
        RequestRepeated: it was asked for before, by a request with the same key.
        StorageUnavailable: it is not asked for, or that is not known.
    """
    session_id = str(params.get("sessionId", ""))
    if op is MutationOp.SESSION_KILL and await session_named(fleet, worker.tenant, session_id) is None:
        raise WorkItemMissing
    mutation = Mutation(
        id=fleet.runtime.ids.mutation(),
        tenant=worker.tenant,
        worker_id=worker.id,
        op=op,
        params=params,
        requested_at=fleet.runtime.clock(),
        requested_by=by,
    )
    if op is MutationOp.SESSION_KILL:
        # Not left to the worker: what is to be killed ends also when the worker does not listen. And before the answer
        # is stored: a request that comes again is done again until then, and only answered from then on.
        await stop_session(fleet, worker, session_id)
    if not await fleet.mutations.add(mutation, None if keyed is None else keyed.answered(mutation)):
        raise WorkerMissing
    return mutation
