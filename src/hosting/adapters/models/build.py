"""Agents with a model, built of what is said about them."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from events.ids import AgentId
from hosting.adapters.models.care import Care
from hosting.adapters.models.choice import EndpointRefused, ModelChoice, ModelRefused, ModelUnknown
from hosting.domain.definition import AgentConfig, ChatClientConfig
from hosting.domain.errors import ConfigRefused
from hosting.ports.agents import MODEL_LIMITS, Agent, Limits
from hosting.ports.tools import Tool

if TYPE_CHECKING:
    # An extra: whoever has no models has not installed it, and a server imports it with the first model.
    from hosting.adapters.models.assembly import Assembly

MODELS_MISSING: Final = "Models need an extra: pip install 'branchline[models]'."

_POINTERS: Final[Mapping[type[ModelRefused], str]] = {
    EndpointRefused: "/clients/chat/endpoint",
    ModelUnknown: "/clients/chat/modelName",
}


class ModelBuilder:
    """See AgentBuilder."""

    def __init__(self, care: Care, tools: Mapping[str, Tool], environment: Mapping[str, str] = os.environ) -> None:
        self._care = care
        self._tools = tools
        self._environment = environment
        self._assembly: Assembly | None = None

    @staticmethod
    def is_possible() -> bool:
        """Say whether what models need is installed."""
        return find_spec("pydantic_ai") is not None

    def build(self, agent_id: AgentId, config: AgentConfig, limits: Limits) -> Agent:
        """See AgentBuilder.build."""
        client = config.clients.chat
        if client is None:
            raise ConfigRefused("/clients/chat", "An agent needs a model: say its providerKey and modelName.")
        choice = self._choice(client)
        tools = [self._tools[name] for name in config.tools]
        try:
            return self._assembled().agent(agent_id, config, choice, limits, tools)
        except ModelRefused as error:
            raise ConfigRefused(_POINTERS.get(type(error), "/clients/chat/providerKey"), str(error)) from error

    def build_assistant(self, agent_id: str, choice: ModelChoice, instructions: str | None) -> Agent:
        """Return an agent that is a model and little else.

        Raises:
            ModelRefused: the model cannot be used.
        """
        if not self.is_possible():
            raise ModelRefused(MODELS_MISSING)
        config = AgentConfig(name=agent_id, system_instructions=instructions)
        return self._assembled().agent(AgentId(agent_id), config, choice, MODEL_LIMITS, list(self._tools.values()))

    async def close(self) -> None:
        """Close what the agents hold: connections, and processes that were started for their tools."""
        if self._assembly is not None:
            await self._assembly.close()
        await self._care.providers.close()

    def _assembled(self) -> "Assembly":
        if self._assembly is None:
            from hosting.adapters.models.assembly import Assembly  # noqa: PLC0415 - an extra

            self._assembly = Assembly(self._care, self._tools, self._environment)
        return self._assembly

    def _choice(self, client: ChatClientConfig) -> ModelChoice:
        variable = client.api_key_variable
        if variable is None:
            return ModelChoice(client.provider_key, client.model_name, client.endpoint)
        if not (key := self._environment.get(variable)):
            raise ConfigRefused(
                "/clients/chat/apiKeyVariable", f"There is no variable {variable} in the server's environment."
            )
        return ModelChoice(client.provider_key, client.model_name, client.endpoint, key)
