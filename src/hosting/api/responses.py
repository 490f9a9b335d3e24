"""Routes of interactions: what a run asks, and the answers to it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from events.ids import AgentId, BranchId, SessionId
from events.interactions import Response as Answer
from hosting.api.bodies import MAX_INPUT, decode_response, read_body
from hosting.api.caller import Caller
from hosting.api.interaction_views import InteractionView, RespondedView, interaction_views
from hosting.api.openapi import answers, takes
from hosting.runtime.respond import respond

_SESSION_BRANCH = "/sessions/{session_id:str}/branches/{branch_id:str}"
_AGENT_BRANCH = "/agents/{agent_id:str}" + _SESSION_BRANCH


@post(
    _AGENT_BRANCH + "/responses",
    status_code=200,
    request_max_body_size=MAX_INPUT,
    opt=takes(Answer),
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "invalid-response",
        "branch-runtime-not-active",
        "response-not-awaited",
        "payload-too-large",
        "unsupported-media-type",
        "storage-unavailable",
    ),
)
async def post_response(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> RespondedView:
    """Answer a question of the branch's run; the first valid answer counts."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
    answer = await decode_response(await read_body(request), caller.runtime.serializer)
    return RespondedView.of(await respond(caller.runtime, branch, answer))


@get(
    _SESSION_BRANCH + "/interactions",
    media_type="application/json",
    responses=answers("session-not-found", "branch-not-found", "storage-unavailable"),
)
async def list_interactions(
    session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> Response[list[InteractionView]]:
    """List the questions that wait for an answer, oldest first."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id))
    return Response(await interaction_views(caller, branch))


@get(
    _AGENT_BRANCH + "/interactions",
    media_type="application/json",
    responses=answers("agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable"),
)
async def list_agent_interactions(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> Response[list[InteractionView]]:
    """List the questions that wait for an answer, asked for under an agent."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
    return Response(await interaction_views(caller, branch))
