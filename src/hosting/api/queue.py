"""Routes of the queue of a branch."""

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from events.ids import AgentId, BranchId, RunId, SessionId
from hosting.api.caller import Caller
from hosting.api.openapi import answers
from hosting.api.views import QueueView
from hosting.runtime.queue import remove_queued
from hosting.runtime.queue_items import queue_items

_SESSION_QUEUE = "/sessions/{session_id:str}/branches/{branch_id:str}/queue"
_AGENT_QUEUE = "/agents/{agent_id:str}" + _SESSION_QUEUE


@get(_SESSION_QUEUE, responses=answers("session-not-found", "branch-not-found", "storage-unavailable"))
async def get_queue(session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]) -> QueueView:
    """Show the inputs that wait for the branch, the next one first."""
    return await _queue(caller, session_id, branch_id, None)


@get(
    _AGENT_QUEUE,
    responses=answers("agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable"),
)
async def get_agent_queue(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> QueueView:
    """Show the inputs that wait for the branch, asked for under an agent."""
    return await _queue(caller, session_id, branch_id, AgentId(agent_id))


@delete(
    _SESSION_QUEUE + "/{run_id:str}",
    status_code=204,
    responses=answers(
        "session-not-found", "branch-not-found", "run-not-found", "run-not-queued", "storage-unavailable"
    ),
)
async def delete_queued(
    session_id: FromPath[str], branch_id: FromPath[str], run_id: FromPath[str], caller: NamedDependency[Caller]
) -> None:
    """Take an input out of the queue; it never runs."""
    await _remove(caller, session_id, branch_id, run_id, None)


@delete(
    _AGENT_QUEUE + "/{run_id:str}",
    status_code=204,
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "run-not-found",
        "run-not-queued",
        "storage-unavailable",
    ),
)
async def delete_agent_queued(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    run_id: FromPath[str],
    caller: NamedDependency[Caller],
) -> None:
    """Take an input out of the queue, asked for under an agent."""
    await _remove(caller, session_id, branch_id, run_id, AgentId(agent_id))


async def _queue(caller: Caller, session_id: str, branch_id: str, agent_id: AgentId | None) -> QueueView:
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), agent_id)
    return QueueView(items=queue_items(await caller.reads.queue(branch.key)))


async def _remove(caller: Caller, session_id: str, branch_id: str, run_id: str, agent_id: AgentId | None) -> None:
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), agent_id)
    await remove_queued(caller.runtime, branch, await caller.run(branch, RunId(run_id)))
