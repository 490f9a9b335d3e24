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
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.runtime.keyed import Keyed
from hosting.runtime.respond import Responded, respond

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
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_response(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> Response[RespondedView]:
    """Answer a question of the branch's run; the first valid answer counts."""

    async def answer(keyed: Keyed[Responded] | None) -> Responded:
        branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
        given = await decode_response(await read_body(request), caller.runtime.serializer)
        return await respond(caller.runtime, branch, given, keyed)

    return await once(request, caller, answer, lambda responded: shown(RespondedView.of(responded)))


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
