"""Agents of pydantic-ai as people have them, some with deps and limits; their models need no network."""

from dataclasses import dataclass

from pydantic_ai import Agent
from pydantic_ai import RunContext as AgentRun
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

import hosting


@dataclass
class Deps:
    """What the agents here look things up in."""

    said: str


def _look_once(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    returned = [part.content for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    return ModelResponse(parts=[TextPart(returned[0])] if returned else [ToolCallPart("look", {})])


def _look_for_ever(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[ToolCallPart("look_away", {})])


def look(ctx: AgentRun[Deps]) -> str:
    """Look at the deps."""
    return ctx.deps.said


def look_away() -> str:
    """See nothing."""
    return ""


async def deps_of(context: hosting.RunContext) -> Deps:
    """Make the deps of a run."""
    return Deps(f"deps of {context.text}")


support = Agent(FunctionModel(_look_once), name="support", deps_type=Deps, tools=[look])
hosted = hosting.model_agent(support, deps=deps_of)
other = hosting.model_agent(support, "other", name="The other", deps=lambda context: Deps("other deps"))

circling = Agent(FunctionModel(_look_for_ever), tools=[look_away])
bounded = hosting.model_agent(
    Agent(FunctionModel(_look_for_ever), tools=[look_away]), "bounded", limits=hosting.Limits(iterations=2)
)
idle = Agent(name="idle")
