"""One agent for each model of `models.json`, which says of each by its name where its provider is and on which wire."""

import json
from functools import cache
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

KEY = "sk-the-secret-key"


def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


@cache
def _openai(url: str) -> OpenAIProvider:
    return OpenAIProvider(base_url=f"{url}/v1", api_key=KEY)


@cache
def _anthropic(url: str) -> AnthropicProvider:
    return AnthropicProvider(base_url=url, api_key=KEY)


def _model(name: str, url: str, wire: str) -> Model:
    if wire == "anthropic":
        return AnthropicModel(name, provider=_anthropic(url))
    return OpenAIChatModel(name, provider=_openai(url))


_models = json.loads(Path("models.json").read_text(encoding="utf-8"))
globals().update({name: Agent(_model(name, *where), name=name, tools=[weather]) for name, where in _models.items()})
