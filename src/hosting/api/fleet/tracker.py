"""The route that workers reach an issue tracker by (docs/reference/worker-protocol.md)."""

from typing import Annotated, Any, Final

import structlog
from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import UNSET, Meta, Struct, UnsetType

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.openapi import answers, refuses, takes
from hosting.api.problems import ApiError
from hosting.domain.errors import InvalidRequest
from hosting.ports.tracker import Tracker, TrackerRefused
from hosting.services.fleet.core import Fleet

_log = structlog.get_logger("branchline.tracker")

METHODS: Final = (
    "getIssue",
    "updateIssue",
    "createIssue",
    "createComment",
    "getIssueComments",
    "getTeamStatuses",
    "updateIssueStatus",
    "createAgentActivity",
    "updateAgentSession",
    "createAgentSessionOnIssue",
    "createIssueRelation",
    "getIssueRelations",
    "deleteIssueRelation",
    "getSubIssues",
    "getSubIssueStatuses",
    "getSubIssueGraph",
    "isParentIssue",
    "isChildIssue",
    "listProjectIssues",
    "getProjectRepositoryUrl",
    "getViewer",
    "getTeam",
    "unassignIssue",
    "issueLabels",
    "teamMembers",
)

_NOT_CONFIGURED: Final = "This server has no issue tracker; a host program gives it one with create_app(tracker=...)."
_FAILED: Final = "The issue tracker failed; the server's log says more."


class TrackerCall(Struct, frozen=True, kw_only=True, rename="camel"):
    """A method of the tracker's, and what it is called with."""

    method: Annotated[str, Meta(min_length=1, max_length=100)]
    args: list[Any] = []
    organization_id: str | None = None


class TrackerError(Struct, frozen=True):
    """Why there is no answer; `retryable` says whether the same call may have one later."""

    code: str
    message: str
    retryable: bool


class TrackerReply(Struct, frozen=True, kw_only=True):
    """What the tracker answers, or why it does not; then `message` repeats the error's."""

    success: bool
    data: Any = UNSET
    error: TrackerError | UnsetType = UNSET
    message: str | UnsetType = UNSET
    quota: Any = UNSET


@post(
    "/api/issue-tracker-proxy",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(TrackerCall) | refuses(TrackerReply, 400, 403, 413),
    responses=answers("invalid-request", "payload-too-large"),
)
async def post_tracker_call(
    request: Request[Any, Any, Any], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> Response[TrackerReply]:
    """Ask the issue tracker; that it refuses is a 200 with `success: false`."""
    try:
        said = await read_report(request, TrackerCall)
    except InvalidRequest as error:
        return _refused(400, "invalid_request", str(error))
    except ApiError as error:
        return _refused(413 if error.code == "payload-too-large" else 400, error.code.replace("-", "_"), str(error))
    if said.method not in METHODS:
        return _refused(400, "unknown_method", f"There is no method {said.method!r} - at `$.method`.")
    if said.organization_id not in {None, "", caller.tenant}:
        return _refused(403, "forbidden", "This organization is not yours - at `$.organizationId`.")
    if fleet.tracker is None:
        return _refused(200, "not_configured", _NOT_CONFIGURED)
    return await _ask(fleet.tracker, caller, said)


async def _ask(tracker: Tracker, caller: Caller, said: TrackerCall) -> Response[TrackerReply]:
    try:
        answer = await tracker.ask(caller.tenant, said.method, said.args)
    except TrackerRefused as refused:
        return _refused(200, refused.code, refused.message, is_retryable=refused.is_retryable)
    except Exception as error:  # noqa: BLE001 - a host program's own; workers look for a code and a message in any answer
        _log.error("the issue tracker failed", method=said.method, exc_info=error)
        return _refused(200, "tracker_failed", _FAILED, is_retryable=True)
    return Response(TrackerReply(success=True, data=answer.data, quota=UNSET if answer.quota is None else answer.quota))


def _refused(status: int, code: str, message: str, *, is_retryable: bool = False) -> Response[TrackerReply]:
    reply = TrackerReply(success=False, error=TrackerError(code, message, is_retryable), message=message)
    return Response(reply, status_code=status)
