"""The agents of this server, by id."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from events.ids import AgentId
from hosting.domain.definition import Runtime
from hosting.domain.errors import AgentElsewhere, AgentMissing
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkTerms
from hosting.ports.agents import Agent
from hosting.runtime.defined_agents import DefinedAgents


class Source(StrEnum):
    """Where an agent comes from."""

    CODE = "code"
    FILE = "file"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class Registered:
    """An agent that the server was started with, for every tenant; `agent` is None when its runs are for workers."""

    name: str
    agent: Agent | None
    source: Source = Source.CODE
    terms: WorkTerms | None = None


@dataclass(frozen=True, slots=True)
class Engaged:
    """The agent that a run is to begin with: its name, the version of its stored definition, and its terms for workers.

    `terms` is None when the run is executed in the server.
    """

    name: str
    version: int | None = None
    terms: WorkTerms | None = None


class Agents:
    """Finds the agent that answers under an id: one that the server was started with, or else one that is defined.

    `default` answers under every other id, when there is one.
    """

    def __init__(
        self, registered: Mapping[str, Registered], default: Registered | None, defined: DefinedAgents
    ) -> None:
        self._registered = dict(registered)
        self._default = default
        self.defined = defined

    def registered(self) -> Mapping[str, Registered]:
        """Return the agents that the server was started with."""
        return self._registered

    def answer_as(self, agent_id: str, registered: str) -> None:
        """Let a registered agent answer under another id too."""
        self._registered.setdefault(agent_id, self._registered[registered])

    def terms(self, agent_id: AgentId) -> WorkTerms | None:
        """Return what workers are offered of the runs of an agent that the server was started with.

        Raises:
            AgentMissing: none answers under that id.
        """
        return self._standing(agent_id).terms

    async def check(self, tenant: TenantId, agent_id: AgentId) -> None:
        """Make sure that an agent answers under an id, or did: its runs must be answered and ended when it is deleted.

        Raises:
            AgentMissing: none does.
        """
        if agent_id not in self._registered and not await self.defined.is_known(tenant, agent_id):
            self._standing(agent_id)

    async def engage(self, tenant: TenantId, agent_id: AgentId) -> Engaged:
        """Return the agent that a run which begins now is to work with.

        Raises:
            AgentMissing: no agent answers under that id.
        """
        if agent_id in self._registered or (found := await self.defined.summary(tenant, agent_id)) is None:
            standing = self._standing(agent_id)
            return Engaged(standing.name, terms=standing.terms)
        if found.runtime is Runtime.LOCAL:
            return Engaged(found.name, found.version)
        described = await self.defined.of(tenant).version(agent_id, found.version)
        if described is None:
            raise AgentMissing(agent_id)
        return Engaged(found.name, found.version, described.config.terms)

    async def get(self, tenant: TenantId, agent_id: AgentId, version: int | None) -> Agent:
        """Return the agent for a run that began with this version of the definition.

        Raises:
            AgentMissing: none answers under that id.
            AgentElsewhere: its runs are for workers.
            ConfigRefused: it cannot be built now.
        """
        if version is not None:
            return await self.defined.get(tenant, agent_id, version)
        agent = self._standing(agent_id).agent
        if agent is None:
            raise AgentElsewhere(agent_id)
        return agent

    def _standing(self, agent_id: AgentId) -> Registered:
        found = self._registered.get(agent_id, self._default)
        if found is None:
            raise AgentMissing(agent_id)
        return found
