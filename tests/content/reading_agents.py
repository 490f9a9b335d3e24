"""Agents that look at uploaded files."""

from collections.abc import AsyncIterator
from hashlib import sha256

from pydantic_ai import Agent
from pydantic_ai.messages import BinaryContent, ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from events.branches import UriContent
from hosting import create_app
from hosting.ports.agents import RunContext


async def reader(context: RunContext) -> None:
    """Say the SHA-256 of each file of the last message."""
    for content in context.input[-1].contents:
        if isinstance(content, UriContent):
            await context.say(sha256(await context.content(content.uri)).hexdigest())


async def _tell(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
    """Say everything that a model is given: texts as they are, files by type and SHA-256."""
    parts = [part for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    said = [part.content for part in parts if isinstance(part, UserPromptPart)]
    shown = [each for content in said for each in ([content] if isinstance(content, str) else content)]
    yield "|".join(_shown(each) for each in shown)


def _shown(value: object) -> str:
    return f"{value.media_type} {sha256(value.data).hexdigest()}" if isinstance(value, BinaryContent) else str(value)


model = Agent(FunctionModel(stream_function=_tell))

agents = {"reader": reader, "model": model}

__all__ = ["agents", "create_app"]
