"""Agents with a model, built of what is said about them."""

import os
from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from events.ids import AgentId
from hosting.adapters.models.access import Access
from hosting.adapters.models.care import Care
from hosting.adapters.models.choice import EndpointRefused, ModelChoice, ModelRefused, ModelUnknown
from hosting.domain.definition import AgentConfig, CandidateConfig, ChatClientConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.secret import Secret
from hosting.ports.agents import MODEL_LIMITS, Agent, Keys, Limits
from hosting.ports.tools import Tool

if TYPE_CHECKING:
    # An extra: whoever has no models has not installed it, and a server imports it with the first model.
    from pydantic_ai.models import Model

    from hosting.adapters.models.assembly import Assembly

MODELS_MISSING: Final = "Models need an extra: pip install 'branchline[models]'."

_MEMBERS: Final[Mapping[type[ModelRefused], str]] = {EndpointRefused: "endpoint", ModelUnknown: "modelName"}
_CHAT: Final = "/clients/chat"


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

    def build(self, agent_id: AgentId, config: AgentConfig, limits: Limits, keys: Keys) -> Agent:
        """See AgentBuilder.build."""
        client = config.clients.chat
        if client is None:
            raise ConfigRefused(_CHAT, "An agent needs a model: say its providerKey and modelName.")
        if config.compaction is not None and config.compaction.contradicts_itself:
            raise ConfigRefused("/compaction/keepMessages", "This must be at least two less than `trigger.messages`.")
        accesses: dict[str, Access] = {}
        models: dict[str, Model] = {}
        for pointer, said in _models_of(client):
            access = self._access(said, pointer, of_server=keys.of_server)
            models[said.candidate] = self._model(config, access, keys.known, pointer)
            accesses[said.candidate] = access
        if config.compaction is not None and config.compaction.model_name is not None:
            self._check_summaries(next(iter(accesses.values())).named(config.compaction.model_name), keys.known)
        tools = [self._tools[name] for name in config.tools]
        return self._assembled().agent(agent_id, config, models, accesses, limits=limits, tools=tools)

    def build_assistant(self, agent_id: str, choice: ModelChoice, instructions: str | None) -> Agent:
        """Return an agent that is a model and little else.

        Raises:
            ModelRefused: the model cannot be used.
        """
        if not self.is_possible():
            raise ModelRefused(MODELS_MISSING)
        config = AgentConfig(name=agent_id, system_instructions=instructions)
        accesses = {choice.name: Access(choice, of_server=True)}
        models = {name: self._assembled().model(config, access, ()) for name, access in accesses.items()}
        tools = list(self._tools.values())
        return self._assembled().agent(AgentId(agent_id), config, models, accesses, limits=MODEL_LIMITS, tools=tools)

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

    def _model(self, config: AgentConfig, access: Access, known: Collection[str] | None, pointer: str) -> "Model":
        try:
            return self._assembled().model(config, access, known)
        except ModelRefused as error:
            raise ConfigRefused(f"{pointer}/{_MEMBERS.get(type(error), 'providerKey')}", str(error)) from error

    def _check_summaries(self, access: Access, known: Collection[str] | None) -> None:
        try:
            access.sample(self._care.providers, known)
        except ModelRefused as error:
            raise ConfigRefused("/compaction/modelName", str(error)) from error

    def _access(self, client: CandidateConfig, pointer: str, *, of_server: bool) -> Access:
        variable = client.api_key_variable
        if variable is None:
            choice = ModelChoice(client.provider_key, client.model_name, client.endpoint)
            return Access(choice, client.credential, of_server)
        if not (key := self._environment.get(variable)):
            raise ConfigRefused(
                f"{pointer}/apiKeyVariable", f"There is no variable {variable} in the server's environment."
            )
        # Who names a variable of the server's is its operator.
        is_at_home = client.endpoint is None
        choice = ModelChoice(client.provider_key, client.model_name, client.endpoint, Secret(key), trusted=is_at_home)
        return Access(choice, of_server=of_server)


def _models_of(client: ChatClientConfig) -> Iterator[tuple[str, CandidateConfig]]:
    """Return the models that a config names, its own first, and where it does."""
    yield _CHAT, client
    for place, candidate in enumerate(client.candidates):
        yield f"{_CHAT}/candidates/{place}", candidate
