"""The route that workers tell what they do by."""

from typing import Annotated, Any, Final

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct, structs

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_of
from hosting.api.fleet.status import OF_A_REPORT
from hosting.api.openapi import answers, takes
from hosting.domain.errors import InvalidRequest
from hosting.services.fleet.activity import Activity, tell_activity
from hosting.services.fleet.core import Fleet

TYPES: Final = ("thought", "action", "response", "context", "error", "progress")

_Text = Annotated[str, Meta(min_length=1)]
_Word = Annotated[str, Meta(max_length=255)]


class ActivitySaid(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a worker does, thinks or answers."""

    type: str | None = None
    content: _Text | None = None
    tool_name: _Word | None = None
    tool_input: Any = None
    tool_category: _Word | None = None
    tool_output: Any = None
    tool_use_id: _Word | None = None
    is_error: bool | None = None
    duration_ms: float | None = None
    provider_name: _Word | None = None
    timestamp: str | float | None = None
    context_key: str | None = None
    context_value: Any = None
    metadata: dict[str, Any] | None = None


class ActivityReport(ActivitySaid, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An activity, as the member `activity` or as the body itself."""

    worker_id: str | None = None
    activity: ActivitySaid | None = None


class ActivityTaken(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether the readers of the branch are told."""

    forwarded: bool
    linear_session_id: str


@post(
    "/api/sessions/{session_id:str}/activity",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(ActivityReport),
    responses=answers(*OF_A_REPORT, "work-session-ended"),
)
async def post_activity(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> ActivityTaken:
    """Take what a worker does; calls of tools and their results are told as such."""
    said = await read_report(request, ActivityReport)
    activity = _activity(said.activity or said)
    holding = await holder_of(fleet, caller.identity, session_id, said.worker_id)
    await tell_activity(fleet, holding, activity)
    return ActivityTaken(forwarded=True, linear_session_id=session_id)


def _activity(said: ActivitySaid) -> Activity:
    if said.type not in TYPES:
        raise InvalidRequest(f"`activity.type` must be one of {', '.join(TYPES)} - at `$.activity.type`.")
    if said.content is None:
        raise InvalidRequest("`activity.content` is missing - at `$.activity.content`.")
    return Activity(
        type=said.type,
        content=said.content,
        tool_name=said.tool_name or None,
        tool_input=said.tool_input,
        tool_output=said.tool_output,
        tool_use_id=said.tool_use_id or None,
        is_error=bool(said.is_error),
        details=_details(said),
    )


def _details(said: ActivitySaid) -> dict[str, Any]:
    """Return what else was said, by the names that it was said with."""
    known = {"type", "content"}
    return {
        field.encode_name: value
        for field in structs.fields(ActivitySaid)
        if field.name not in known and (value := getattr(said, field.name)) is not None
    }
