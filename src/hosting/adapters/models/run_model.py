"""The model that answers one run: the agent's own, or the one that the run's configuration asks for."""

from dataclasses import dataclass
from typing import Any

from pydantic_ai.models import Model
from pydantic_ai.providers import Provider

from hosting.adapters.models.choice import ModelChoice, ModelRefused
from hosting.adapters.models.making import another, make_model, make_provider
from hosting.adapters.models.providers import Providers
from hosting.domain.model_config import ModelConfig


@dataclass(frozen=True, slots=True)
class RunModel:
    """A model, and the provider that is to be closed when the run has ended, if the run has one of its own.

    A `model` of None is chosen by the agent itself, as it runs.
    """

    model: Model | None
    closes: Provider[Any] | None = None


def run_model(providers: Providers, own: Model | None, config: ModelConfig) -> RunModel:
    """Return the model of a run; may take as long as importing a library does.

    Raises:
        ModelRefused: it cannot be had.
    """
    is_apart = config.is_apart
    if config.provider_key is not None and config.model_name is not None:
        choice = ModelChoice(config.provider_key, config.model_name, config.provider_endpoint, config.api_key)
        if not is_apart:
            return RunModel(providers.model(choice))
        provider = make_provider(choice)
        return RunModel(make_model(choice, provider), provider)
    if config.model_name is None and not is_apart:
        return RunModel(own)
    if own is None:
        raise ModelRefused("The agent has no model of its own; send `runConfig.providerKey` and `runConfig.modelId`.")
    model = another(own, config.model_name, config.api_key, config.provider_endpoint)
    return RunModel(model, model.provider if is_apart else None)


def wanted_by(config: ModelConfig) -> str:
    """Return the member of `runConfig` that asks for another model than the agent's."""
    if config.provider_key is not None:
        return "providerKey"
    if config.chat.model_id is not None:
        return "chat.modelId"
    return "providerEndpoint" if config.provider_endpoint is not None else "apiKey"
