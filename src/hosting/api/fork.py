"""The route that forks a branch."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from events.ids import AgentId, BranchId, MessageId, SessionId
from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.branch_views import BranchView
from hosting.api.branches import made
from hosting.api.caller import Caller
from hosting.api.once import once
from hosting.api.openapi import answers, takes
from hosting.api.sessions import check_id
from hosting.runtime.fork import Forked, fork_branch
from hosting.runtime.keyed import Keyed
from hosting.runtime.new_branch import NewBranch


class ForkBranch(Struct, frozen=True, kw_only=True, rename="camel"):
    """A fork that is to be, with the messages up to and with `fromMessageId`; without an id it gets one."""

    from_message_id: MessageId
    new_branch_id: BranchId | None = None
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None


@post(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}/fork",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(ForkBranch),
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "invalid-request",
        "unknown-member",
        "fork-message-not-present",
        "branch-exists",
        "payload-too-large",
        "unsupported-media-type",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_fork(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> Response[BranchView]:
    """Create a branch that begins as a copy of this one's messages."""

    async def fork(keyed: Keyed[Forked] | None) -> Forked:
        source = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
        body = await decode_body(await read_body(request), ForkBranch)
        if body.new_branch_id is not None:
            check_id("newBranchId", body.new_branch_id)
        given = body.new_branch_id, body.name or None, body.description or None, body.tags or None, body.metadata
        return await fork_branch(
            caller.runtime, source, body.from_message_id, NewBranch(*given), keyed, agent_id=AgentId(agent_id)
        )

    return await once(request, caller, fork, lambda forked: made(forked.branch, forked.relatives))
