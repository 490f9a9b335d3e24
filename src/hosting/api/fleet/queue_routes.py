"""Routes by which single items change hands: claimed by name, given back, handed on, looked at."""

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from events.ids import is_client_id
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.address import address_of
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_of, session_named
from hosting.api.fleet.members import asking_worker, worker_named
from hosting.api.fleet.session_view import WorkSessionView
from hosting.api.fleet.work_view import WorkView
from hosting.api.openapi import answers, takes
from hosting.domain.admission import WorkerMissing
from hosting.domain.errors import InvalidRequest
from hosting.domain.identity import CallerKind, Identity
from hosting.domain.work_errors import WorkItemMissing
from hosting.domain.work_item import Holding, WorkerId, WorkItem, WorkItemId, WorkState
from hosting.ports.work import Claim
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.poll import Unclaimed, claim_work
from hosting.services.fleet.returning import refuse_item
from hosting.services.fleet.transfer import transfer_item

_ALWAYS = ("invalid-request", "forbidden", "payload-too-large", "unsupported-media-type", "storage-unavailable")
_WorkerName = Annotated[str, Meta(min_length=1, max_length=128)]


class ClaimWanted(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which worker wants a session."""

    worker_id: str | None = None


class WorkNamed(Struct, frozen=True, kw_only=True, rename="camel"):
    """An item as it was received; nothing of it is needed but its name."""

    session_id: str | None = None


class Refusal(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which worker does not want a session, and why."""

    worker_id: str | None = None
    reason: str | None = None
    work: WorkNamed | None = None


class Transfer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Under which name a worker has a session, and under which it is to have it."""

    new_worker_id: _WorkerName
    old_worker_id: _WorkerName


class ClaimedView(Struct, frozen=True, kw_only=True):
    """Whether a session was claimed: then it and its work are there, else why not."""

    claimed: bool
    reason: str | UnsetType = UNSET
    session: WorkSessionView | UnsetType = UNSET
    work: WorkView | UnsetType = UNSET


class RefusedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session that is on offer again, where it was."""

    nacked: bool = True
    session_id: str
    requeued: bool = True


class TransferredView(Struct, frozen=True, kw_only=True):
    """Whether a session was handed on: then it is there, else why not."""

    transferred: bool
    reason: str | UnsetType = UNSET
    session: WorkSessionView | UnsetType = UNSET


class OfferedView(WorkView, frozen=True, kw_only=True, rename="camel"):
    """An item that is on offer, and where the server is that offers it."""

    platform_url: str


@post(
    "/api/sessions/{session_id:str}/claim",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(ClaimWanted),
    responses=answers("session-not-owned", *_ALWAYS),
)
async def post_claim(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> ClaimedView:
    """Claim one session, as a worker does that was not given it by a poll."""
    said = await read_report(request, ClaimWanted)
    wanted_by = asking_worker(caller.identity, said.worker_id)
    try:
        worker = await worker_named(fleet, caller.identity, wanted_by)
    except WorkerMissing as missing:
        # Claiming is answered with 200 whatever comes of it.
        return ClaimedView(claimed=False, reason=str(missing).rstrip("."))
    could_be = is_client_id(session_id)
    claimed = await claim_work(fleet, worker, WorkItemId(session_id)) if could_be else Unclaimed.TAKEN
    if isinstance(claimed, Unclaimed):
        return ClaimedView(claimed=False, reason=claimed)
    return ClaimedView(claimed=True, session=_session(claimed), work=WorkView.of(claimed))


@post(
    "/api/sessions/{session_id:str}/nack",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Refusal),
    responses=answers("work-session-not-found", "session-not-owned", "work-session-ended", *_ALWAYS),
)
async def post_nack(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> RefusedView:
    """Give a session back; it keeps its place, and is not offered to this worker again for a while."""
    said = await read_report(request, Refusal)
    if said.work is not None and said.work.session_id not in {None, session_id}:
        raise InvalidRequest("`work.sessionId` is another session than the path names - at `$.work.sessionId`.")
    await refuse_item(fleet, await holder_of(fleet, caller.identity, session_id, said.worker_id), said.reason)
    return RefusedView(session_id=session_id)


@post(
    "/api/sessions/{session_id:str}/transfer-ownership",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Transfer),
    responses=answers("worker-not-found", "session-not-owned", *_ALWAYS),
)
async def post_transfer(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> TransferredView:
    """Hand a session on to the name that its worker has registered under anew."""
    said = await read_report(request, Transfer)
    worker = await worker_named(fleet, caller.identity, said.new_worker_id)
    if not is_client_id(session_id) or not is_client_id(said.old_worker_id):
        return TransferredView(transferred=False, reason=str(WorkItemMissing()))
    try:
        await session_named(fleet, caller.identity, session_id)
    except WorkItemMissing as missing:
        return TransferredView(transferred=False, reason=str(missing))
    holding = Holding(caller.tenant, WorkItemId(session_id), WorkerId(said.old_worker_id))
    moved = await transfer_item(fleet, holding, worker, trusted=_is_trusted(caller.identity))
    if isinstance(moved, str):
        return TransferredView(transferred=False, reason=moved)
    return TransferredView(transferred=True, session=_session(moved))


@get(
    "/api/daemon/sessions/{session_id:str}",
    responses=answers("work-session-not-found", "storage-unavailable"),
)
async def get_offered(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> OfferedView:
    """Show a session that waits for a worker, to whoever could be given it; from its claim on it is not found here."""
    item = await session_named(fleet, caller.identity, session_id)
    if item.state is not WorkState.PENDING or not await _is_offered_to(fleet, caller.identity, item):
        raise WorkItemMissing
    shown = WorkView.shown(item, await fleet.work.input(item))
    members = {name: getattr(shown, name) for name in shown.__struct_fields__}
    return OfferedView(**members, platform_url=address_of(request))


async def _is_offered_to(fleet: Fleet, identity: Identity, item: WorkItem) -> bool:
    """Say whether a poll could bring an item to whoever is asking, if that is a worker."""
    if identity.kind is not CallerKind.WORKER:
        return True
    worker = await fleet.workers.worker(identity.tenant, WorkerId(identity.worker_id or ""))
    return worker is not None and worker.takes(item)


def _session(claim: Claim) -> WorkSessionView:
    return WorkSessionView.of(claim.item, is_stopped=bool(claim.lease.interrupts))


def _is_trusted(identity: Identity) -> bool:
    """Say whether somebody speaks for any worker: who has no token of its own does, by the key that all share."""
    return identity.kind is not CallerKind.WORKER
