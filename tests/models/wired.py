"""An agent of pydantic-ai as people write them, behind each wire; `provider.txt` says where their provider is."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, ApprovalRequired, BinaryContent, CallDeferred, ExternalToolset, ModelRetry
from pydantic_ai import RunContext as AgentRun
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.tools import ToolDefinition

from hosting.ports.agents import RunContext

_URL = Path("provider.txt").read_text(encoding="utf-8").strip()
_KEY = "sk-the-secret-key"
_OPENAI = OpenAIProvider(base_url=f"{_URL}/v1", api_key=_KEY)
_CHAT = OpenAIChatModel("gpt-5-mini", provider=_OPENAI)
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def _note(name: str) -> None:
    with Path("calls.txt").open("a", encoding="utf-8") as notes:
        notes.write(f"{name}\n")


def weather(city: str) -> str:
    """Tell the weather."""
    _note(f"weather {city}")
    return f"rain in {city}"


def ladder(height: int) -> str:
    """Climb a ladder that bears only numbers."""
    return f"at {height}"


def again(city: str) -> str:
    """Want to be asked again, in other words."""
    if city == city.lower():
        raise ModelRetry("Write the city with a capital letter.")
    return f"went to {city}"


def refuse(city: str) -> str:
    """Fail as a tool may."""
    raise ToolFailed(f"There is no way to {city}.")


def crash(city: str) -> str:
    """Fail as no tool should."""
    raise RuntimeError(f"{_KEY} at {__file__}")


def photo(city: str) -> BinaryContent:
    """Take a photograph."""
    _note(f"photo {city}")
    return BinaryContent(_PNG, media_type="image/png")


async def pay(run: AgentRun[Any], euros: int) -> str:
    """Pay; large sums need an approval, very large ones never arrive, and beyond those the server dies of it."""
    if euros > 10 and not run.tool_call_approved:
        raise ApprovalRequired(metadata={"euros": euros})
    _note(f"pay {euros}")
    if euros > 1_000_000:
        os.kill(os.getpid(), signal.SIGKILL)
    if euros > 1000:
        await asyncio.Event().wait()
    return f"paid {euros}"


def order(dish: str) -> str:
    """Order what somebody else brings."""
    raise CallDeferred(metadata={"dish": dish})


_ELSEWHERE = ExternalToolset[Any](
    [
        ToolDefinition(
            name="ring",
            description="Ring the bell at the door.",
            parameters_json_schema={"type": "object", "properties": {"times": {"type": "integer"}}},
        )
    ]
)


def _agent(name: str, model: Model) -> Agent[Any, str]:
    agent: Agent[Any, str] = Agent(
        model,
        name=name,
        instructions="Be brief.",
        tools=[weather, ladder, again, refuse, crash, photo, pay, order],
        toolsets=[_ELSEWHERE],
    )

    @agent.tool_plain(requires_approval=True)
    def book(city: str) -> dict[str, str]:
        """Book a journey."""
        _note(f"book {city}")
        return {"booked": city}

    return agent


chat = _agent("chat", _CHAT)
responses = _agent("responses", OpenAIResponsesModel("gpt-5-mini", provider=_OPENAI))
anthropic = _agent(
    "anthropic",
    AnthropicModel("claude-sonnet-4-5", provider=AnthropicProvider(base_url=_URL, api_key=_KEY)),
)


class Forecast(BaseModel):
    """What the structured agent answers."""

    city: str
    degrees: int


structured = Agent(_CHAT, name="structured", output_type=Forecast, tools=[weather])
knowing = Agent(_CHAT, name="knowing", deps_type=RunContext)


@knowing.tool
def where(run: AgentRun[RunContext]) -> str:
    """Tell the session that this runs in."""
    return run.deps.scope.session_id
