"""Models and providers of pydantic-ai, made of a choice; and in one sentence why that cannot be."""

import inspect
import os
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model, known_model_names
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class

from hosting.adapters.models.choice import EndpointRefused, KeyMissing, ModelChoice, ModelRefused, ModelUnknown
from hosting.adapters.models.measured import measure_answers
from hosting.domain.secret import Secret

T = TypeVar("T")

_VARIABLE: Final = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")
_EXTRA: Final = re.compile(r"pip install [\"']([\w\[\]-]+)[\"']")
_ENDPOINT_ARGUMENTS: Final = ("base_url", "api_base", "azure_endpoint")
_NO_KEY: Final = Secret("none")
_OPENAI_KEY: Final = "OPENAI_API_KEY"


def make_provider(choice: ModelChoice) -> Provider[Any]:
    """Return a provider with a client of its own; raises as Providers.model does."""
    provider = _explained(choice, lambda: _provider(choice))
    _take_in_hand(provider)
    return provider


def make_model(choice: ModelChoice, provider: Provider[Any]) -> Model:
    """Return a model that uses this provider; raises as Providers.model does."""
    return _explained(choice, lambda: _model(choice, provider))


def models_inside(model: Model) -> Iterator[Model]:
    """Return the models that can come to answer for one: itself, or those that it is made of."""
    if isinstance(model, WrapperModel):
        yield from models_inside(model.wrapped)
    elif isinstance(model, FallbackModel):
        for inside in model.models:
            yield from models_inside(inside)
    else:
        yield model


def another(model: Model, name: str | None, key: Secret | None, endpoint: str | None) -> Model:
    """Return a model like another one: of another name, or with another key or at another place.

    With a key or an endpoint it has a provider of its own, to be closed when nobody uses it any more.

    Raises:
        ModelRefused: the model has no provider, or its provider cannot be told so.
    """
    inside = list(models_inside(model))
    provider = inside[0].provider if len(inside) == 1 else None
    if provider is None:
        raise ModelRefused("The agent has no single provider whose model could be another one.")
    if key or endpoint:
        provider = _moved(provider, key, endpoint)
    made: Any = type(inside[0])
    like: Model = made(name or inside[0].model_name, provider=provider, settings=inside[0].settings)
    return like


def _model(choice: ModelChoice, provider: Provider[Any]) -> Model:
    model = infer_model(f"{choice.kind}:{choice.name}", lambda _: provider)
    is_compatible = choice.kind != choice.provider and f"{choice.provider}:{choice.name}" not in known_model_names()
    if not is_compatible:
        return model
    # Servers that are compatible with OpenAI's know the older name of the limit, and pass over the newer one.
    made: Any = type(model)
    like: Model = made(choice.name, provider=provider, profile={"openai_chat_supports_max_completion_tokens": False})
    return like


def _provider(choice: ModelChoice) -> Provider[Any]:
    # An empty variable is one that is not set; only OpenAI's library takes it for a key, and fails.
    is_emptied = choice.kind.startswith("openai") and os.environ.get(_OPENAI_KEY) == ""
    if choice.endpoint is None and choice.key is None:
        if is_emptied:
            raise _key_missing(choice, [_OPENAI_KEY])
        return infer_provider(choice.kind)
    made = infer_provider_class(choice.kind)
    given: dict[str, Any] = {}
    if choice.endpoint is not None:
        given[_endpoint_argument(made, choice.provider)] = choice.endpoint
    key = choice.key if choice.trusted and not is_emptied else choice.key or _NO_KEY
    if key is not None:
        _check_takes_key(made, choice.provider)
        given["api_key"] = key.reveal()
    provider = made(**given)
    if not choice.trusted:
        # Another's key beside the server's own token or organization would be neither's.
        _forget_who_we_are(provider)
    return provider


def _moved(provider: Provider[Any], key: Secret | None, endpoint: str | None) -> Provider[Any]:
    made = type(provider)
    _check_takes_key(made, provider.name)
    given: dict[str, Any] = {"api_key": (key or _NO_KEY).reveal()}
    if endpoint is not None:
        given[_endpoint_argument(made, provider.name)] = endpoint
    elif "base_url" in _arguments(made):
        given["base_url"] = provider.base_url
    moved = made(**given)
    _forget_who_we_are(moved)
    _take_in_hand(moved)
    return moved


def _take_in_hand(provider: Provider[Any]) -> None:
    measure_answers(provider)
    # Else it would be copied for each call, to say so; and a copy reads the server's environment again.
    if hasattr(provider.client, "max_retries"):
        provider.client.max_retries = 0


def tries_again(client: Any) -> bool:
    """Say whether a provider's client makes a call that failed again by itself; it does unless it says otherwise."""
    return getattr(client, "max_retries", None) != 0


def _forget_who_we_are(provider: Provider[Any]) -> None:
    """Take from a client what its library has read of the server's environment beside the key."""
    client = provider.client
    for name in ("organization", "project", "auth_token"):
        if getattr(client, name, None) is not None:
            setattr(client, name, None)
    if getattr(client, "_custom_headers", None):
        client._custom_headers = {}


def _arguments(made: type[Provider[Any]]) -> frozenset[str]:
    return frozenset(inspect.signature(made.__init__).parameters)


def _endpoint_argument(made: type[Provider[Any]], provider: str) -> str:
    known = _arguments(made)
    argument = next((name for name in _ENDPOINT_ARGUMENTS if name in known), None)
    if argument is None:
        raise EndpointRefused(f"The provider {provider} has one address only; it takes no endpoint.")
    return argument


def _check_takes_key(made: type[Provider[Any]], provider: str) -> None:
    # What is reached through a gateway is known by its own class, which would take the key to the provider itself.
    if "api_key" not in _arguments(made) or "/" in provider:
        raise ModelRefused(f"The provider {provider} takes no key of that kind.")


def _explained(choice: ModelChoice, make: Callable[[], T]) -> T:
    """Make something of a provider's, and say in one sentence why that cannot be."""
    provider = choice.provider[:100]
    try:
        return make()
    except ModelRefused:
        raise
    except ImportError as error:
        extra = _EXTRA.search(str(error))
        how = f": pip install '{extra[1]}'" if extra else ""
        raise ModelRefused(f"The library of the provider {provider} is not installed{how}.") from error
    except UserError as error:
        raise _refusal(choice, str(error)) from error
    except ValueError as error:
        raise ModelRefused(f"There is no provider {provider!r}.{_nearest(provider)}") from error
    # Each library has errors of its own for what is not set up, and their texts are not ours to show.
    except Exception as error:
        raise ModelRefused(f"The provider {provider} is not set up on this server.") from error


def _refusal(choice: ModelChoice, said: str) -> ModelRefused:
    provider, variables = choice.provider[:100], list(dict.fromkeys(_VARIABLE.findall(said)))
    if variables:
        return _key_missing(choice, variables)
    if said.startswith("Unknown model"):
        return ModelUnknown(f"The provider {provider} has no model {choice.name!r:.100} that can be talked to.")
    return ModelRefused(f"The provider {provider} is not set up on this server.")


def _key_missing(choice: ModelChoice, variables: list[str]) -> ModelRefused:
    needed = " or ".join(variables)
    return KeyMissing(f"The provider {choice.provider[:100]} needs {needed} in the server's environment.")


def _nearest(provider: str) -> str:
    # The library has one for its own tests.
    known = {name.partition(":")[0] for name in known_model_names()} - {provider, "test"}
    near = get_close_matches(provider, sorted(known), n=1)
    return f" Perhaps {near[0]} is meant." if near else ""
