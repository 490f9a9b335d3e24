"""Definitions: descriptions that agents are built from, as they are stored or read from files."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from events.ids import AgentId
from hosting.domain.model_config import ChatOptions
from hosting.domain.toolset_config import McpServer, OpenApiTools, Toolset
from hosting.domain.work_item import DEFAULT_PRIORITY, FurtherInputs, WorkTerms

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Runtime(StrEnum):
    """Where the runs of an agent are executed: inside the server, or by a worker of the fleet."""

    LOCAL = "local"
    WORKER = "worker"


class ChatClientConfig(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """The model that an agent speaks through; the key itself is in the variable that `apiKeyVariable` names."""

    provider_key: Name
    model_name: Name
    endpoint: str | None = None
    api_key_variable: Name | None = None


class ClientsConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """The models that an agent uses."""

    chat: ChatClientConfig | None = None


class MiddlewareConfig(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """Something that wraps the agent's runs, by its name."""

    name: Name
    options: dict[str, Any] = field(default_factory=dict)


class AgentConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """What an agent is built from.

    `tools` are names of tools that the server has; `chat` says what a run's own `runConfig.chat` may say otherwise.
    `workType`, `projectName`, `priority` (1 is the most urgent) and `furtherInputs` are for `runtime: "worker"` alone.
    """

    name: Name | None = None
    runtime: Runtime = Runtime.LOCAL
    work_type: Name | None = None
    project_name: Name | None = None
    priority: Annotated[int, Meta(ge=1, le=9)] | None = None
    further_inputs: FurtherInputs | None = None
    system_instructions: str | None = None
    max_agentic_iterations: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    clients: ClientsConfig = ClientsConfig()
    chat: ChatOptions = ChatOptions()
    tools: Annotated[tuple[Name, ...], Meta(max_length=256)] = ()
    toolsets: Annotated[tuple[Toolset, ...], Meta(max_length=64)] = ()
    mcp_servers: Annotated[tuple[McpServer, ...], Meta(max_length=32)] = ()
    open_api: Annotated[tuple[OpenApiTools, ...], Meta(max_length=32)] = ()
    middlewares: Annotated[tuple[MiddlewareConfig, ...], Meta(max_length=32)] = ()

    @property
    def terms(self) -> WorkTerms | None:
        """What a worker is offered of a run; None when the runs are executed in the server."""
        if self.runtime is Runtime.LOCAL:
            return None
        priority = DEFAULT_PRIORITY if self.priority is None else self.priority
        return WorkTerms(
            work_type=self.work_type,
            project=self.project_name,
            priority=priority,
            further_inputs=self.further_inputs or FurtherInputs.QUEUE,
        )

    def encoded(self) -> bytes:
        """Return the one form that equal configurations are stored in."""
        return msgspec.json.encode(self, order="sorted")


class DefinitionSummary(Struct, frozen=True, kw_only=True):
    """What a list shows of a definition; versions count from 1."""

    id: AgentId
    name: str
    version: int
    runtime: Runtime
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


class Definition(DefinitionSummary, frozen=True, kw_only=True):
    """A definition in its newest version."""

    config: AgentConfig


class DefinitionVersion(Struct, frozen=True, kw_only=True):
    """What the runs of one version of a definition work with; never changed, and there as long as one needs it."""

    agent_id: AgentId
    version: int
    name: str
    config: AgentConfig
