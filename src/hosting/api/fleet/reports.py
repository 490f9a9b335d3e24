"""Routes that workers report on their sessions by."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.members import held_by
from hosting.api.openapi import answers, takes
from hosting.domain.errors import InvalidRequest
from hosting.domain.work_item import WorkReport, WorkState, patch_of
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.reports import complete, report_state

_OF_A_SESSION = (
    "work-session-not-found",
    "session-not-owned",
    "invalid-request",
    "work-session-ended",
    "payload-too-large",
    "unsupported-media-type",
    "storage-unavailable",
)
_STATES = {
    state.value: state
    for state in (WorkState.RUNNING, WorkState.FINALIZING, WorkState.COMPLETED, WorkState.FAILED, WorkState.STOPPED)
}


class ErrorSaid(Struct, frozen=True):
    """Why something failed."""

    message: str = ""


class StatusReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a session stands."""

    status: str
    worker_id: str | None = None
    provider_session_id: str | None = None
    worktree_path: str | None = None
    error: ErrorSaid | None = None
    total_cost_usd: Annotated[float, Meta(ge=0)] | None = None
    input_tokens: Annotated[int, Meta(ge=0)] | None = None
    output_tokens: Annotated[int, Meta(ge=0)] | None = None


class CompletionReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a session comes to, in words."""

    summary: Annotated[str, Meta(min_length=1)]
    worker_id: str | None = None


@post(
    "/api/sessions/{session_id:str}/status",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(StatusReport),
    responses=answers(*_OF_A_SESSION, "work-transition-refused"),
)
async def post_status(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> dict[str, Any]:
    """Take a worker's word for how its session stands; a terminal status ends the run."""
    said = await read_report(request, StatusReport)
    state = _STATES.get(said.status)
    if state is None:
        raise InvalidRequest(f"`status` must be one of {', '.join(_STATES)} - at `$.status`.")
    holding = held_by(caller.identity, session_id, said.worker_id)
    await report_state(fleet, holding, state, _report(said))
    return {"updated": True}


@post(
    "/api/sessions/{session_id:str}/completion",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(CompletionReport),
    responses=answers(*_OF_A_SESSION),
)
async def post_completion(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> dict[str, Any]:
    """Take the text that a session ends with."""
    said = await read_report(request, CompletionReport)
    holding = held_by(caller.identity, session_id, said.worker_id)
    await complete(fleet, holding, said.summary)
    return {"posted": True, "partsPosted": 1, "totalParts": 1}


def _report(said: StatusReport) -> WorkReport:
    return patch_of(
        provider_session_id=said.provider_session_id,
        worktree_path=said.worktree_path,
        error=said.error.message if said.error else None,
        total_cost_usd=said.total_cost_usd,
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
    )
