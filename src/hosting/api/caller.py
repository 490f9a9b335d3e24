"""Who is asking, and the doors that are open to them: everything a handler reaches is one tenant's."""

from dataclasses import dataclass

from events.ids import AgentId, BranchId, SessionId
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing, SessionMissing
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.domain.session import Session
from hosting.ports.store import TenantReads
from hosting.runtime.core import Runtime


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's hands on the runtime."""

    runtime: Runtime
    tenant: TenantId
    reads: TenantReads

    async def session(self, session_id: SessionId) -> Session:
        """Return a session of the caller's.

        Raises:
            SessionMissing: there is none.
        """
        session = await self.reads.session(session_id)
        if session is None:
            raise SessionMissing(session_id)
        return session

    async def branch(self, session_id: SessionId, branch_id: BranchId, agent_id: AgentId | None = None) -> Branch:
        """Return a branch of the caller's; the agent, when named, must exist too.

        Raises:
            AgentMissing, SessionMissing, BranchMissing: in this order.
        """
        if agent_id is not None:
            self.runtime.agents.get(agent_id)
        branch = await self.reads.branch(session_id, branch_id)
        if branch is None:
            await self.session(session_id)
            raise BranchMissing(session_id, branch_id)
        return branch


def local_caller(runtime: Runtime) -> Caller:
    """Return the only caller there is until callers prove who they are: the tenant `local`."""
    return Caller(runtime, LOCAL_TENANT, runtime.tenant(LOCAL_TENANT))
