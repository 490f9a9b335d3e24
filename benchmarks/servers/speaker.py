"""The agent that is measured with Branchline and without: it asks the model, and that is all."""

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def speaker(provider_port: int) -> Agent[None, str]:
    """Return an agent of pydantic-ai that asks the provider on this port."""
    provider = OpenAIProvider(base_url=f"http://127.0.0.1:{provider_port}/v1", api_key="none")
    return Agent(OpenAIChatModel("speaker", provider=provider), name="speaker")
