"""How a session stands: told by its worker, and looked up by it."""

from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct
from msgspec.structs import replace

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_of, session_named
from hosting.api.fleet.session_view import WorkSessionView
from hosting.api.openapi import answers, takes
from hosting.domain.errors import InvalidRequest
from hosting.domain.identity import CallerKind
from hosting.domain.work_item import Holding, WorkReport, WorkState, patch_of
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.reports import bounded, is_stopped, report_state

OF_A_REPORT: Final = (
    "work-session-not-found",
    "session-not-owned",
    "invalid-request",
    "payload-too-large",
    "unsupported-media-type",
    "storage-unavailable",
)
"""What any report on a session may be answered with."""

_STATES: Final = {
    state.value: state
    for state in (WorkState.RUNNING, WorkState.FINALIZING, WorkState.COMPLETED, WorkState.FAILED, WorkState.STOPPED)
}
_Words = Annotated[str, Meta(max_length=4096)]
_Tokens = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class ErrorSaid(Struct, frozen=True):
    """Why something failed."""

    message: str = ""


class StatusReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a session stands, and what it has cost so far."""

    status: str
    worker_id: str | None = None
    provider_session_id: _Words | None = None
    worktree_path: _Words | None = None
    error: ErrorSaid | None = None
    total_cost_usd: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    input_tokens: _Tokens | None = None
    output_tokens: _Tokens | None = None


class StatusTaken(Struct, frozen=True):
    """The session as it stands now."""

    updated: bool
    session: WorkSessionView


@get(
    "/api/sessions/{session_id:str}/status",
    responses=answers("work-session-not-found", "storage-unavailable"),
)
async def get_status(
    session_id: FromPath[str], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> WorkSessionView:
    """Return how a session stands; one that somebody has interrupted is `stopped` from then on.

    `providerSessionId` and `worktreePath` are not shown to other workers than the session's.
    """
    item = await session_named(fleet, caller.identity, session_id)
    owner, asking = item.worker_id, caller.identity
    if owner is not None and item.state.is_held and (asking.kind, asking.worker_id) == (CallerKind.WORKER, owner):
        await fleet.desks.renew(Holding(item.scope.tenant, item.id, owner))
    shown = WorkSessionView.of(item, is_stopped=await is_stopped(fleet, item))
    is_other = asking.kind is CallerKind.WORKER and asking.worker_id != owner
    # Where a worker has its files, and what opens its conversation with a provider, is no other one's business.
    return replace(shown, provider_session_id=None, worktree_path="") if is_other else shown


@post(
    "/api/sessions/{session_id:str}/status",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(StatusReport),
    responses=answers(*OF_A_REPORT, "work-transition-refused"),
)
async def post_status(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> StatusTaken:
    """Take a worker's word for how its session stands; a terminal status ends the run."""
    said = await read_report(request, StatusReport)
    state = _STATES.get(said.status)
    if state is None:
        raise InvalidRequest(f"`status` must be one of {', '.join(_STATES)} - at `$.status`.")
    holding = await holder_of(fleet, caller.identity, session_id, said.worker_id)
    item = await report_state(fleet, holding, state, _report(said))
    return StatusTaken(updated=True, session=WorkSessionView.of(item, is_stopped=await is_stopped(fleet, item)))


def _report(said: StatusReport) -> WorkReport:
    return patch_of(
        provider_session_id=said.provider_session_id,
        worktree_path=said.worktree_path,
        error=bounded(said.error.message) if said.error else None,
        total_cost_usd=said.total_cost_usd,
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
    )
