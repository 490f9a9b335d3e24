"""The models that an agent's runs have one chosen among."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from hosting.adapters.models.access import Access
from hosting.adapters.models.chat_settings import settings_of
from hosting.adapters.models.choice import ModelChoice
from hosting.adapters.models.providers import Providers
from hosting.domain.model_config import ModelConfig
from hosting.ports.agents import RunContext


@dataclass(frozen=True, slots=True)
class Candidates:
    """Models by their names as candidates, the agent's own first; `said` is what the agent says of all of them.

    `models` are as they are without a run, `accesses` how a run comes by them; only with more than one there is a
    choice. `work_type` is what they are compared for; None: the runs of this agent.
    """

    models: Mapping[str, Model]
    accesses: Mapping[str, Access]
    said: ModelConfig
    work_type: str | None = None

    @property
    def is_choice(self) -> bool:
        """Whether runs have one chosen."""
        return len(self.models) > 1

    @property
    def first(self) -> Access:
        """How a run comes by the agent's own."""
        return next(iter(self.accesses.values()))

    async def chosen(self, context: RunContext, providers: Providers) -> Model:
        """Return the model of a run, the same however often the run begins again.

        Raises:
            CredentialMissing, CredentialUnusable, ModelRefused: see Access.model.
        """
        if not self.is_choice:
            return await self.first.model(providers, context)
        name = await context.route(tuple(self.models), self.work_type)
        return await self.accesses[name].model(providers, context)

    def settings(self, model: Model, config: ModelConfig) -> ModelSettings:
        """Return the settings that one of them takes: in its own words, which the agent's may not be."""
        return cast("ModelSettings", {**settings_of(self.said, model), **settings_of(config, model)})

    def other(self, provider: str, name: str) -> Access:
        """Return how a run comes by a model that it names itself: by the key of that provider's that the agent has."""
        for access in self.accesses.values():
            if access.choice.provider == provider and access.choice.endpoint is None and access.credential is not None:
                return replace(access, choice=replace(access.choice, name=name))
        return Access(ModelChoice(provider, name), of_server=self.first.of_server)
