"""The route that inputs come in by."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from events.ids import AgentId, BranchId, RunId, SessionId
from events.inputs import Input
from events.interruption import InterruptionRequest
from hosting.api.bodies import MAX_INPUT, decode_input, read_body
from hosting.api.caller import Caller
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.api.views import InterruptingView, SubmittedView
from hosting.domain.keyed_request import Answer
from hosting.runtime.interrupt import Interrupting, interrupt_run
from hosting.runtime.keyed import Keyed
from hosting.runtime.submit import Submitted, submit_input


@post(
    "/agents/{agent_id:str}/sessions/{session_id:str}/branches/{branch_id:str}/inputs",
    status_code=202,
    request_max_body_size=MAX_INPUT,
    opt=takes(Input),
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "invalid-input",
        "unknown-member",
        "run-config-refused",
        "branch-run-active",
        "branch-run-not-active",
        "queue-full",
        "too-many-runs",
        "message-exists",
        "payload-too-large",
        "unsupported-media-type",
        "not-ready",
        "no-sealing-key",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_input(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
) -> Response[SubmittedView | InterruptingView]:
    """Accept an input; the answer arrives on the live feed. An INTERRUPTION_REQUEST interrupts the active run."""

    async def accept(keyed: Keyed[Submitted | Interrupting] | None) -> Submitted | Interrupting:
        branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
        received = await decode_input(await read_body(request), caller.runtime.serializer)
        if isinstance(received, InterruptionRequest):
            return await interrupt_run(caller.runtime, branch, received, keyed)
        return await submit_input(caller.runtime, branch, AgentId(agent_id), received, keyed=keyed)

    def told(accepted: Submitted | Interrupting) -> Answer:
        view = SubmittedView.of(accepted) if isinstance(accepted, Submitted) else InterruptingView.of(accepted)
        return shown(view, _location(request, accepted.run_id))

    return await once(request, caller, accept, told)


def _location(request: Request[Any, Any, Any], run_id: RunId) -> str:
    agent_id = quote(request.path_params["agent_id"], safe="")
    branch = f"/sessions/{request.path_params['session_id']}/branches/{request.path_params['branch_id']}"
    return f"/agents/{agent_id}{branch}/runs/{run_id}"
