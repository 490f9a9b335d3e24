"""The definitions that a worker knows: none, since its agents are in its own code."""

from datetime import datetime

from events.ids import AgentId
from hosting.domain.definition import AgentConfig, Definition, DefinitionSummary, DefinitionVersion
from hosting.domain.keyed_request import AnsweredRequest


class NoDefinitions:
    """See the door, Definitions."""

    async def add(self, definition: Definition, answered: AnsweredRequest | None = None) -> None:
        """See Definitions.add; a worker stores nothing."""
        raise TypeError("A worker stores no definitions.")

    async def revise(self, agent_id: AgentId, config: AgentConfig, at: datetime) -> Definition | None:
        """See Definitions.revise."""
        return None

    async def remove(self, agent_id: AgentId, at: datetime) -> bool:
        """See Definitions.remove."""
        return False

    async def summary(self, agent_id: AgentId) -> DefinitionSummary | None:
        """See Definitions.summary."""
        return None

    async def definition(self, agent_id: AgentId) -> Definition | None:
        """See Definitions.definition."""
        return None

    async def is_known(self, agent_id: AgentId) -> bool:
        """See Definitions.is_known."""
        return False

    async def version(self, agent_id: AgentId, version: int) -> DefinitionVersion | None:
        """See Definitions.version."""
        return None

    async def summaries(self, limit: int, offset: int) -> list[DefinitionSummary]:
        """See Definitions.summaries."""
        return []

    async def for_workers(self) -> list[Definition]:
        """See Definitions.for_workers."""
        return []
