"""Routes that operators tell workers something by."""

from typing import Any

from litestar import Request, Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct, field

from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.caller import Caller
from hosting.api.fleet.heartbeat import MutationView
from hosting.api.fleet.members import worker_named
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.domain.admission import WorkerMissing
from hosting.domain.host_status import HostStatus
from hosting.domain.mutation import Mutation, MutationOp
from hosting.runtime.keyed import Keyed
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.mutations import ask_for

_REFUSALS = (
    "worker-not-found",
    "invalid-request",
    "unknown-member",
    "payload-too-large",
    "unsupported-media-type",
    "storage-unavailable",
)


class MutationWanted(Struct, frozen=True):
    """What a worker is to do to its host."""

    op: MutationOp
    params: dict[str, Any] = field(default_factory=dict)


class HostStatusView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker is told of its host from now on."""

    worker_id: str
    host_status: HostStatus


@post(
    "/api/workers/{worker_id:str}/mutations",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(MutationWanted),
    responses=answers("work-session-not-found", "idempotency-key-under-way", "idempotency-key-reused", *_REFUSALS),
)
async def post_mutation(
    worker_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Response[MutationView]:
    """Ask a worker for a mutation; its heartbeats bring it until it says what became of it.

    A session that is to be killed must be there.
    """

    async def ask(keyed: Keyed[Mutation] | None) -> Mutation:
        worker = await worker_named(fleet, caller.identity, worker_id)
        said = await decode_body(await read_body(request), MutationWanted)
        by = caller.identity.key_id or caller.identity.kind
        return await ask_for(fleet, worker, said.op, said.params, by=by, keyed=keyed)

    return await once(request, caller, ask, lambda mutation: shown(MutationView.of(mutation)))


@put(
    "/api/workers/{worker_id:str}/host-status",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(HostStatus),
    responses=answers(*_REFUSALS),
)
async def put_host_status(
    worker_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> HostStatusView:
    """Tell a worker whether it is to ask for work; unless it is `ok`, it is given none in any case."""
    worker = await worker_named(fleet, caller.identity, worker_id)
    said = await decode_body(await read_body(request), HostStatus)
    if not await fleet.workers.tell(worker.tenant, worker.id, said):
        raise WorkerMissing
    return HostStatusView(worker_id=worker.id, host_status=said)
