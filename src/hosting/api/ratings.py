"""The route that clients rate runs by."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from events.ids import AgentId, BranchId, RunId, SessionId
from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.caller import Caller
from hosting.api.openapi import answers, takes
from hosting.api.views import RunView
from hosting.runtime.rate import rate_run


class Rating(Struct, frozen=True, forbid_unknown_fields=True):
    """How good a run was, from 0 to 1."""

    rating: Annotated[float, Meta(ge=0, le=1)]


@post(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}/runs/{run_id:str}/rating",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Rating),
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "run-not-found",
        "run-not-ended",
        "run-already-rated",
        "invalid-request",
        "unknown-member",
        "payload-too-large",
        "unsupported-media-type",
        "storage-unavailable",
    ),
)
async def post_rating(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    run_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> RunView:
    """Rate a run that has ended, from 0 to 1; once, and the same again changes nothing.

    If it was given to one of several candidates, the rating counts for that one as the run's end does.
    """
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
    run = await caller.run(branch, RunId(run_id))
    given = await decode_body(await read_body(request), Rating)
    # Less than nothing is nothing: -0.0 becomes 0.0.
    return RunView.of(await rate_run(caller.runtime, branch, run, given.rating + 0.0))
