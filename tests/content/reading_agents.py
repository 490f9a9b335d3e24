"""Agents that look at uploaded files, as a file that `branchline serve` takes."""

from collections.abc import AsyncIterator
from hashlib import sha256

from pydantic_ai import Agent
from pydantic_ai.messages import BinaryContent, ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from events.branches import UriContent
from hosting import RunContext, agent


@agent("reader")
async def reader(context: RunContext) -> None:
    """Says the SHA-256 of each file of the last message."""
    for content in context.input[-1].contents:
        if isinstance(content, UriContent):
            await context.say(sha256(await context.content(content.uri)).hexdigest())


async def _tell(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
    """Say everything that a model is given of users: texts as they are, files by their type and SHA-256."""
    parts = [part for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    said = [part.content for part in parts if isinstance(part, UserPromptPart)]
    shown = [each for content in said for each in ([content] if isinstance(content, str) else content)]
    yield "|".join(map(_shown, shown))


def _shown(value: object) -> str:
    return f"{value.media_type} {sha256(value.data).hexdigest()}" if isinstance(value, BinaryContent) else str(value)


seer = Agent(FunctionModel(stream_function=_tell), name="seer")
