"""Who is asking, and the doors that are open to them: everything a handler reaches is one tenant's."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from events.ids import AgentId, BranchId, RunId, SessionId, is_client_id
from hosting.domain.admission import Forbidden
from hosting.domain.branch import Branch
from hosting.domain.definition import Definition
from hosting.domain.errors import AgentMissing, BranchMissing, RunMissing, SessionMissing
from hosting.domain.identity import Identity, Role
from hosting.domain.run import Run
from hosting.domain.scope import TenantId
from hosting.domain.session import Session
from hosting.ports.definitions import Definitions
from hosting.ports.store import TenantReads
from hosting.runtime.core import Runtime

_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's hands on the runtime.

    What cannot be an id is not looked up: a NUL in it would be an error of the database's.
    """

    runtime: Runtime
    identity: Identity
    reads: TenantReads

    @property
    def tenant(self) -> TenantId:
        """Whose everything is that this caller reaches."""
        return self.identity.tenant

    def require(self, *roles: Role) -> None:
        """Make sure that the caller has one of these roles; a route's own roles were looked at before it was called.

        Raises:
            Forbidden: it has none of them.
        """
        require(self.identity, roles)

    async def check_agent(self, agent_id: AgentId) -> None:
        """Make sure that an agent answers under the id.

        Raises:
            AgentMissing: none does.
        """
        if not is_client_id(agent_id) and agent_id not in self.runtime.agents.registered():
            raise AgentMissing(AgentId(agent_id[:_SHOWN]))
        await self.runtime.agents.check(self.tenant, agent_id)

    @property
    def definitions(self) -> Definitions:
        """The agents that the tenant has defined."""
        return self.runtime.agents.defined.of(self.tenant)

    async def definition(self, agent_id: AgentId) -> Definition:
        """Return an agent that the tenant has defined.

        Raises:
            AgentMissing: there is none.
        """
        found = await self.definitions.definition(agent_id) if is_client_id(agent_id) else None
        if found is None:
            raise AgentMissing(AgentId(agent_id[:_SHOWN]))
        return found

    async def session(self, session_id: SessionId) -> Session:
        """Return a session of the caller's.

        Raises:
            SessionMissing: there is none.
        """
        session = await self.reads.session(session_id) if is_client_id(session_id) else None
        if session is None:
            raise SessionMissing(SessionId(session_id[:_SHOWN]))
        return session

    async def branch(self, session_id: SessionId, branch_id: BranchId, agent_id: AgentId | None = None) -> Branch:
        """Return a branch of the caller's; the agent, when named, must exist too.

        Raises:
            AgentMissing, SessionMissing, BranchMissing: in this order.
        """
        if agent_id is not None:
            await self.check_agent(agent_id)
        could_be = is_client_id(session_id) and is_client_id(branch_id)
        branch = await self.reads.branch(session_id, branch_id) if could_be else None
        if branch is None:
            session = await self.session(session_id)
            raise BranchMissing(SessionId(session.id[:_SHOWN]), BranchId(branch_id[:_SHOWN]))
        return branch

    async def run(self, branch: Branch, run_id: RunId) -> Run:
        """Return a run of a branch.

        Raises:
            RunMissing: there is none.
        """
        run = await self.reads.run(branch.key, run_id) if is_client_id(run_id) else None
        if run is None:
            raise RunMissing(RunId(run_id[:_SHOWN]))
        return run


def require(identity: Identity, roles: Collection[Role]) -> None:
    """Make sure that somebody has one of these roles.

    Raises:
        Forbidden: it has none of them.
    """
    if identity.roles.isdisjoint(roles):
        wanted = " or ".join(sorted(roles))
        raise Forbidden(f"This is for callers with the role {wanted}; yours is {' and '.join(sorted(identity.roles))}.")


def caller_for(runtime: Runtime, identity: Identity) -> Caller:
    """Return the hands of somebody."""
    return Caller(runtime, identity, runtime.tenant(identity.tenant))
