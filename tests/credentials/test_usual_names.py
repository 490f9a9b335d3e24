"""The name under which a tenant's key is looked for is the one that the provider's own library knows."""

import os
import re

import pytest
from pydantic_ai.exceptions import UserError
from pydantic_ai.providers import infer_provider

from hosting.adapters.models.usual_credentials import usual_credential

# Those whose libraries come with the extra `models`, and that say what they lack without looking for it elsewhere.
PROVIDERS = (
    *("anthropic", "cerebras", "crusoe", "deepseek", "fireworks", "google", "google-decisions", "groq", "heroku"),
    *("meta", "mistral", "moonshotai", "nebius", "openai", "openai-chat", "openai-responses", "openrouter"),
    *("ovhcloud", "sambanova", "together", "vercel", "zai"),
)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_provider_says_that_it_lacks_is_its_usual_name(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN"))]:
        monkeypatch.delenv(name)

    with pytest.raises(UserError) as refused:
        infer_provider(provider)

    assert usual_credential(provider) in re.findall(r"[A-Z][A-Z0-9_]+_(?:KEY|TOKEN)", str(refused.value))


def test_a_gateway_has_no_name_for_the_keys_of_others() -> None:
    assert usual_credential("gateway/openai") is None
