"""The door to the definitions that one tenant has stored."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from events.ids import AgentId
from hosting.domain.definition import AgentConfig, Definition, DefinitionSummary, DefinitionVersion
from hosting.domain.keyed_request import AnsweredRequest
from hosting.domain.scope import TenantId


class Definitions(Protocol):
    """What one tenant has stored; nothing here can name another tenant's rows.

    Whatever changes something is durable when it returns, and forgets versions which no run needs that has not ended,
    once they were replaced an hour ago: until then an input may still be on its way that has read of them.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def add(self, definition: Definition, answered: AnsweredRequest | None = None) -> None:
        """Store a new definition, with the answer to the request for it.

        Raises:
            RequestRepeated: that was answered before; nothing was stored.
        """
        ...

    async def revise(self, agent_id: AgentId, config: AgentConfig, at: datetime) -> Definition | None:
        """Give a definition a new config, and the next version unless it has that config already; None without one."""
        ...

    async def remove(self, agent_id: AgentId, at: datetime) -> bool:
        """Delete a definition, and say whether there was one; what its runs need of it stays until they have ended."""
        ...

    async def summary(self, agent_id: AgentId) -> DefinitionSummary | None:
        """Return a definition without its config."""
        ...

    async def definition(self, agent_id: AgentId) -> Definition | None:
        """Return a definition."""
        ...

    async def is_known(self, agent_id: AgentId) -> bool:
        """Say whether there is a definition, or was one that a run may still need."""
        ...

    async def version(self, agent_id: AgentId, version: int) -> DefinitionVersion | None:
        """Return one version of a definition, which may have been deleted since."""
        ...

    async def summaries(self, limit: int, offset: int) -> list[DefinitionSummary]:
        """Return definitions in order of creation."""
        ...

    async def for_workers(self) -> list[Definition]:
        """Return the definitions whose runs are for workers, in order of creation."""
        ...


DefinitionsOf = Callable[[TenantId], Definitions]
"""Returns the door to a tenant's definitions."""
