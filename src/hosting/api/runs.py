"""Routes of runs, under sessions and under agents alike."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from events.ids import AgentId, BranchId, RunId, SessionId
from hosting.api.caller import Caller
from hosting.api.openapi import answers
from hosting.api.views import RunView

_SESSION_BRANCH = "/sessions/{session_id:str}/branches/{branch_id:str}"
_AGENT_BRANCH = "/agents/{agent_id:str}" + _SESSION_BRANCH

_OF_A_SESSION = answers("session-not-found", "branch-not-found", "storage-unavailable")
_OF_AN_AGENT = answers("agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable")
_ONE_OF_A_SESSION = answers("session-not-found", "branch-not-found", "run-not-found", "storage-unavailable")
_ONE_OF_AN_AGENT = answers(
    "agent-not-found", "session-not-found", "branch-not-found", "run-not-found", "storage-unavailable"
)


@get(_SESSION_BRANCH + "/runs", responses=_OF_A_SESSION)
async def list_runs(
    session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> list[RunView]:
    """List a branch's runs, oldest first."""
    return await _list(caller, session_id, branch_id, None)


@get(_AGENT_BRANCH + "/runs", responses=_OF_AN_AGENT)
async def list_agent_runs(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> list[RunView]:
    """List an agent's runs on a branch, oldest first."""
    return await _list(caller, session_id, branch_id, AgentId(agent_id))


@get(_SESSION_BRANCH + "/runs/active", responses=_OF_A_SESSION)
async def get_active_run(
    session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> RunView | None:
    """Show the run that holds the branch, or null."""
    return await _active(caller, session_id, branch_id, None)


@get(_AGENT_BRANCH + "/runs/active", responses=_OF_AN_AGENT)
async def get_agent_active_run(
    agent_id: FromPath[str], session_id: FromPath[str], branch_id: FromPath[str], caller: NamedDependency[Caller]
) -> RunView | None:
    """Show the run that holds the branch, or null, asked for under an agent."""
    return await _active(caller, session_id, branch_id, AgentId(agent_id))


@get(_SESSION_BRANCH + "/runs/{run_id:str}", responses=_ONE_OF_A_SESSION)
async def get_run(
    session_id: FromPath[str], branch_id: FromPath[str], run_id: FromPath[str], caller: NamedDependency[Caller]
) -> RunView:
    """Show a run."""
    return await _one(caller, session_id, branch_id, run_id, None)


@get(_AGENT_BRANCH + "/runs/{run_id:str}", responses=_ONE_OF_AN_AGENT)
async def get_agent_run(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    run_id: FromPath[str],
    caller: NamedDependency[Caller],
) -> RunView:
    """Show a run, asked for under an agent."""
    return await _one(caller, session_id, branch_id, run_id, AgentId(agent_id))


async def _list(caller: Caller, session_id: str, branch_id: str, agent_id: AgentId | None) -> list[RunView]:
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), agent_id)
    return [RunView.of(run) for run in await caller.reads.runs(branch.key, agent_id)]


async def _active(caller: Caller, session_id: str, branch_id: str, agent_id: AgentId | None) -> RunView | None:
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), agent_id)
    run = await caller.reads.active_run(branch.key)
    return None if run is None else RunView.of(run)


async def _one(caller: Caller, session_id: str, branch_id: str, run_id: str, agent_id: AgentId | None) -> RunView:
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), agent_id)
    return RunView.of(await caller.run(branch, RunId(run_id)))
