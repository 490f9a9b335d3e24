"""Routes that workers tell by what their sessions come to, how far they are, and where they can be looked at."""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_of, holder_or_any
from hosting.api.fleet.status import OF_A_REPORT
from hosting.api.openapi import answers, takes
from hosting.domain.errors import InvalidRequest
from hosting.domain.work_errors import WorkEnded
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.reports import complete, tell_links, tell_progress

MILESTONES: Final = (
    "claimed",
    "worktree",
    "started",
    "running",
    "tests",
    "pr",
    "completed",
    "failed",
    "stopped",
    "resumed",
    "waiting",
)


class PlanItem(Struct, frozen=True):
    """A step of a plan, and how far it is."""

    title: Annotated[str, Meta(min_length=1, max_length=2000)]
    state: Literal["pending", "inProgress", "completed", "canceled"]


class CompletionReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a session comes to, in words."""

    summary: Annotated[str, Meta(min_length=1)]
    worker_id: str | None = None
    plan_items: Annotated[tuple[PlanItem, ...], Meta(max_length=200)] = ()


class CompletionTaken(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much of it is told: always all."""

    posted: bool = True
    parts_posted: int = 1
    total_parts: int = 1


class ProgressReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a worker is."""

    message: Annotated[str, Meta(min_length=1)]
    milestone: str | None = None
    worker_id: str | None = None


class ProgressTaken(Struct, frozen=True, kw_only=True, rename="camel"):
    """The readers of the branch are told."""

    posted: bool = True
    milestone: str | UnsetType = UNSET


class ExternalUrl(Struct, frozen=True):
    """A place where something of a session can be looked at."""

    label: Annotated[str, Meta(min_length=1, max_length=500)]
    url: Annotated[str, Meta(pattern=r"^https?://[^\s]+$", max_length=4096)]


class LinksReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a session can be looked at besides here."""

    external_urls: Annotated[tuple[ExternalUrl, ...], Meta(max_length=100)]
    worker_id: str | None = None


class LinksTaken(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether they are kept; if not, why."""

    updated: bool
    external_urls: tuple[ExternalUrl, ...] | UnsetType = UNSET
    reason: str | UnsetType = UNSET


@post(
    "/api/sessions/{session_id:str}/completion",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(CompletionReport),
    responses=answers(*OF_A_REPORT, "work-session-ended"),
)
async def post_completion(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> CompletionTaken:
    """Take the text that a session ends with; what was said already is not said again."""
    said = await read_report(request, CompletionReport)
    if not said.summary.strip():
        raise InvalidRequest("`summary` is blank - at `$.summary`.")
    holding = await holder_of(fleet, caller.identity, session_id, said.worker_id)
    await complete(fleet, holding, said.summary, [msgspec.to_builtins(item) for item in said.plan_items])
    return CompletionTaken()


@post(
    "/api/sessions/{session_id:str}/progress",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(ProgressReport),
    responses=answers(*OF_A_REPORT, "work-session-ended"),
)
async def post_progress(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> ProgressTaken:
    """Take how far a worker is."""
    said = await read_report(request, ProgressReport)
    if said.milestone is not None and said.milestone not in MILESTONES:
        raise InvalidRequest(f"`milestone` must be one of {', '.join(MILESTONES)} - at `$.milestone`.")
    holding = await holder_of(fleet, caller.identity, session_id, said.worker_id)
    await tell_progress(fleet, holding, said.message, said.milestone)
    return ProgressTaken(milestone=said.milestone or UNSET)


@post(
    "/api/sessions/{session_id:str}/external-urls",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(LinksReport),
    responses=answers(*OF_A_REPORT),
)
async def post_external_urls(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> LinksTaken:
    """Keep where else a session can be looked at; those of an earlier report are replaced."""
    said = await read_report(request, LinksReport)
    links = [{"label": link.label, "url": link.url} for link in said.external_urls]
    try:
        holding = await holder_or_any(fleet, caller.identity, session_id, said.worker_id)
        await tell_links(fleet, holding, links)
    except WorkEnded as ended:
        return LinksTaken(updated=False, reason=str(ended))
    return LinksTaken(updated=True, external_urls=said.external_urls)
