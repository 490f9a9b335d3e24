"""Agents of pydantic-ai, put together of a config."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from weakref import WeakSet

from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.toolsets import AbstractToolset

from events.ids import AgentId
from hosting.adapters.models.access import Access
from hosting.adapters.models.agent import ModelAgent
from hosting.adapters.models.candidates import Candidates
from hosting.adapters.models.care import Care
from hosting.adapters.models.chat_settings import not_taken, settings_of, tells_reasoning
from hosting.adapters.models.toolsets import close_toolsets, toolsets_of
from hosting.domain.definition import AgentConfig, CompactionConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.model_config import ModelConfig
from hosting.ports.agents import Limits
from hosting.ports.tools import Tool


class Assembly:
    """Puts agents together, and knows what they hold as long as they are used."""

    def __init__(self, care: Care, server_tools: Mapping[str, Tool], environment: Mapping[str, str]) -> None:
        self._care = care
        self._server_tools = server_tools
        self._environment = environment
        self._toolsets: WeakSet[AbstractToolset[Any]] = WeakSet()

    def model(self, config: AgentConfig, access: Access, known: Collection[str] | None) -> Model:
        """Return a model, as it is without a run, that takes what a config says of it; `known` as in Access.sample.

        Raises:
            ModelRefused: the model cannot be used.
            ConfigRefused: it does not take that.
        """
        model = access.sample(self._care.providers, known)
        if refused := not_taken(model, ModelConfig(chat=config.chat)):
            pointer = "/" + refused.replace(".", "/")
            raise ConfigRefused(pointer, f"The model {model.model_name!r:.100} does not honour this.")
        return model

    def agent(
        self,
        agent_id: AgentId,
        config: AgentConfig,
        models: Mapping[str, Model],
        accesses: Mapping[str, Access],
        *,
        limits: Limits,
        tools: Sequence[Tool],
    ) -> ModelAgent:
        """Return an agent that is what a config says, with these models by their names as candidates, its own first.

        Raises:
            ConfigRefused: it says what a model is elsewhere too, or a toolset cannot be made.
        """
        if config.chat.model_id is not None:
            raise ConfigRefused("/chat/modelId", "The model of an agent is its `clients.chat.modelName`.")
        model, said = next(iter(models.values())), ModelConfig(chat=config.chat)
        compaction = config.compaction or CompactionConfig()
        agent = ModelAgent(
            agent_id,
            self._wrapped(config, model, said),
            name=config.name,
            limits=limits,
            tools=tools,
            tells_reasoning=tells_reasoning(config.chat),
            candidates=Candidates(models, accesses, said, config.work_type),
            project_name=config.project_name,
            compaction=compaction.policy(),
            summary_model=compaction.model_name,
        )
        agent.ask_with(self._care)
        return agent

    def _wrapped(self, config: AgentConfig, model: Model, said: ModelConfig) -> Agent[Any, Any]:
        toolsets = toolsets_of(config, self._server_tools.values(), environment=self._environment)
        self._toolsets.update(toolsets)
        return Agent(
            model,
            name=config.name,
            instructions=config.system_instructions,
            model_settings=settings_of(said, model),
            toolsets=toolsets,
        )

    async def close(self) -> None:
        """Close what the toolsets of all agents hold."""
        await close_toolsets(list(self._toolsets))
