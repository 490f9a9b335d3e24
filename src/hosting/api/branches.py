"""Routes of branches."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from events.ids import AgentId, BranchId, SessionId
from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.caller import Caller
from hosting.api.openapi import answers, takes
from hosting.api.sessions import check_id
from hosting.api.views import BranchView
from hosting.runtime.sessions import NewBranch, create_branch


class CreateBranch(Struct, frozen=True, kw_only=True, rename="camel"):
    """A branch that is to be; without an id it gets one."""

    branch_id: BranchId | None = None
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None


@post(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(CreateBranch),
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "invalid-request",
        "unknown-member",
        "branch-exists",
        "payload-too-large",
        "unsupported-media-type",
        "storage-unavailable",
    ),
)
async def post_branch(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> Response[BranchView]:
    """Create an empty branch beside the session's others."""
    caller.check_agent(AgentId(agent_id))
    session = await caller.session(SessionId(session_id))
    body = await decode_body(await read_body(request), CreateBranch)
    if body.branch_id is not None:
        check_id("branchId", body.branch_id)
    new = NewBranch(body.branch_id, body.name, body.description, body.tags, body.metadata)
    branch = await create_branch(caller.runtime, session, new)
    location = f"/sessions/{session.id}/branches/{branch.scope.branch_id}"
    return Response(BranchView.of(branch), headers={"Location": location})


@get("/sessions/{session_id:str}/branches", responses=answers("session-not-found", "storage-unavailable"))
async def list_branches(session_id: FromPath[str], caller: NamedDependency[Caller]) -> list[BranchView]:
    """List a session's branches in order of creation."""
    session = await caller.session(SessionId(session_id))
    return [BranchView.of(branch) for branch in await caller.reads.branches(session.id)]


@get(
    "/sessions/{session_id:str}/branches/{branch_id:str}",
    responses=answers("session-not-found", "branch-not-found", "storage-unavailable"),
)
async def get_branch(
    session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> BranchView:
    """Show a branch."""
    return BranchView.of(await caller.branch(SessionId(session_id), BranchId(branch_id)))


@get(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}",
    responses=answers("agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable"),
)
async def get_agent_branch(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> BranchView:
    """Show a branch, asked for under an agent."""
    return BranchView.of(await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id)))
