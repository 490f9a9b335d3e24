"""The route that interrupts come in by."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from events.ids import AgentId, BranchId, SessionId
from events.interruption import InterruptionRequest
from hosting.api.bodies import MAX_BODY, decode_interruption, read_body
from hosting.api.caller import Caller
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.api.views import InterruptingView
from hosting.runtime.interrupt import Interrupting, interrupt_run
from hosting.runtime.keyed import Keyed


@post(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}/interrupt",
    status_code=202,
    request_max_body_size=MAX_BODY,
    opt=takes(InterruptionRequest),
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "invalid-request",
        "unknown-member",
        "branch-run-not-active",
        "payload-too-large",
        "unsupported-media-type",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_interrupt(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> Response[InterruptingView]:
    """End the branch's active run, or the event flow in it that the body names."""

    async def interrupt(keyed: Keyed[Interrupting] | None) -> Interrupting:
        branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
        wish = await decode_interruption(await read_body(request))
        return await interrupt_run(caller.runtime, branch, wish, keyed)

    return await once(request, caller, interrupt, lambda interrupting: shown(InterruptingView.of(interrupting)))
