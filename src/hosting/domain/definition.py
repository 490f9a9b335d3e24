"""Definitions: descriptions that agents are built from, as they are stored or read from files."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from events.ids import AgentId
from hosting.domain.compaction_options import CompactionOptions
from hosting.domain.model_config import ChatOptions
from hosting.domain.sealed import Open, Seal, reading, reveal, writing
from hosting.domain.toolset_config import McpServer, OpenApiTools, Toolset
from hosting.domain.work_item import DEFAULT_PRIORITY, FurtherInputs, WorkTerms
from middleware.compaction_policy import CompactionPolicy

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Runtime(StrEnum):
    """Where the runs of an agent are executed: inside the server, or by a worker of the fleet."""

    LOCAL = "local"
    WORKER = "worker"


class CandidateConfig(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """A model that an agent can speak through; its key is the credential that `credential` names.

    `apiKeyVariable` names a variable of the server's environment instead, in a definition of its operator's.
    """

    provider_key: Name
    model_name: Name
    endpoint: str | None = None
    api_key_variable: Name | None = None
    credential: Name | None = None

    @property
    def candidate(self) -> str:
        """What routers call it."""
        return f"{self.provider_key}:{self.model_name}"


class ChatClientConfig(CandidateConfig, frozen=True, kw_only=True):
    """The model that an agent speaks through, unless each run has one chosen among this and its `candidates`."""

    candidates: Annotated[tuple[CandidateConfig, ...], Meta(max_length=16)] = ()

    @property
    def all_candidates(self) -> tuple[CandidateConfig, ...]:
        """The models that a router chooses among, its own first; none when there is no choice."""
        return (self, *self.candidates) if self.candidates else ()


class ClientsConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """The models that an agent uses."""

    chat: ChatClientConfig | None = None


class MiddlewareConfig(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """Something that wraps the agent's runs, by its name."""

    name: Name
    options: dict[str, Any] = field(default_factory=dict)


class CompactionConfig(
    CompactionOptions, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """When the histories of an agent's runs are compacted, and how.

    `modelName` is a model of the agent's provider that makes the summaries in place of the agent's own. With `onFork`
    a copy is compacted before a branch is forked; its summary is made without the credentials that only runs have.
    """

    on_fork: bool = False
    instructions: Annotated[str, Meta(min_length=1, max_length=8_000)] | None = None
    model_name: Name | None = None

    def policy(self) -> CompactionPolicy:
        """Return what the layer goes by."""
        return self.over(CompactionPolicy(on_fork=self.on_fork, instructions=self.instructions))


class AgentConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """What an agent is built from.

    `tools` are names of tools that the server has; `chat` says what a run's own `runConfig.chat` may say otherwise.
    The runs have the credentials of the project `projectName`. `priority` (1 is the most urgent) and `furtherInputs`
    are for `runtime: "worker"` alone, and so is `workType` unless a model has candidates: it is what they are compared
    for.
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
    compaction: CompactionConfig | None = None

    @property
    def terms(self) -> WorkTerms | None:
        """What a worker is offered of a run; None when the runs are executed in the server."""
        if self.runtime is Runtime.LOCAL:
            return None
        priority = DEFAULT_PRIORITY if self.priority is None else self.priority
        chat = self.clients.chat
        return WorkTerms(
            work_type=self.work_type,
            project=self.project_name,
            priority=priority,
            further_inputs=self.further_inputs or FurtherInputs.QUEUE,
            provider=None if chat is None or chat.candidates else chat.provider_key,
        )

    def stored(self, seal: Seal) -> bytes:
        """Return the form that it is stored in: its secrets are sealed; raises what `seal` does."""
        # A server that has no key can still store what holds no secret.
        plain = {at: url for at, server in enumerate(self.mcp_servers) if (url := server.open_url) is not None}
        closed = (replace(server, url=None) if at in plain else server for at, server in enumerate(self.mcp_servers))
        written = msgspec.to_builtins(replace(self, mcp_servers=tuple(closed)), enc_hook=writing(seal))
        for at, url in plain.items():
            written["mcpServers"][at]["url"] = url
        return msgspec.json.encode(written, order="sorted")

    @classmethod
    def of_stored(cls, text: bytes, opened: Open) -> Self:
        """Undo that; raises what `opened` does."""
        return msgspec.json.decode(text, type=cls, dec_hook=reading(opened))

    def same_as(self, other: Self) -> bool:
        """Say whether another one says the same, secrets and all."""
        return self._revealed() == other._revealed()

    def shown(self) -> bytes:
        """Return what may be shown of it: nothing that may be a key."""
        masked = replace(
            self,
            mcp_servers=tuple(server.masked() for server in self.mcp_servers),
            open_api=tuple(service.masked() for service in self.open_api),
        )
        return masked._revealed()

    def _revealed(self) -> bytes:
        return msgspec.json.encode(self, order="sorted", enc_hook=reveal)


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
