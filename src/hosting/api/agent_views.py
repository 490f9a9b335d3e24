"""What is shown of agents; nothing that may be a key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from events.ids import AgentId
from hosting.domain.definition import Definition, DefinitionSummary, Runtime
from hosting.runtime.agents import Registered, Source


class AgentSummaryView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An agent; only one that is stored has a version and times."""

    id: AgentId
    name: str
    source: Source
    runtime: Runtime
    version: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    metadata: dict[str, Any] | None = None

    @classmethod
    def of(cls, stored: DefinitionSummary) -> "AgentSummaryView":
        """Show a stored agent."""
        return cls(**_of_stored(stored))

    @classmethod
    def of_registered(cls, agent_id: str, registered: Registered) -> "AgentSummaryView":
        """Show an agent that the server was started with."""
        return cls(**_of_registered(agent_id, registered))


class AgentView(AgentSummaryView, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An agent with its config, when it is stored; `***` stands for what may be a key."""

    config: msgspec.Raw | None = None

    @classmethod
    def of_definition(cls, stored: Definition) -> "AgentView":
        """Show a stored agent."""
        return cls(**_of_stored(stored), config=msgspec.Raw(stored.config.shown()))

    @classmethod
    def of_registered(cls, agent_id: str, registered: Registered) -> "AgentView":
        """Show an agent that the server was started with; its config is not for clients."""
        return cls(**_of_registered(agent_id, registered))


def _of_stored(stored: DefinitionSummary) -> Mapping[str, Any]:
    return {
        "id": stored.id,
        "name": stored.name,
        "source": Source.STORED,
        "runtime": stored.runtime,
        "version": stored.version,
        "created_at": stored.created_at,
        "updated_at": stored.updated_at,
        "metadata": dict(stored.metadata) or None,
    }


def _of_registered(agent_id: str, registered: Registered) -> Mapping[str, Any]:
    runtime = Runtime.LOCAL if registered.agent is not None else Runtime.WORKER
    return {"id": AgentId(agent_id), "name": registered.name, "source": registered.source, "runtime": runtime}
