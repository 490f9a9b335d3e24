"""An agent of pydantic-ai with everything of its own: system prompt, instructions, tools, settings, an address."""

import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import hosting

_PROVIDER = OpenAIProvider(base_url=os.environ["FAKE_OPENAI"], api_key=os.environ["CANARY_ADOPTED_KEY"])

adopted = Agent(
    OpenAIChatModel("own-model", provider=_PROVIDER),
    name="adopted",
    system_prompt="The own prompt.",
    instructions="The own instructions.",
    model_settings={"temperature": 0.9, "extra_body": {"own": 1}, "extra_headers": {"x-own": "1"}},
)


@adopted.tool_plain
def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


@hosting.tool
async def clock(context: hosting.ToolContext) -> str:
    """Tell the time."""
    return "noon"


unsettled: Agent[None, str] = Agent(name="unsettled")
