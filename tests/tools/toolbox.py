"""An agent with the toolsets of `toolsets.json`, whose model does what it is told: one line, one answer of the model.

A line is `NAME {ARGUMENTS}`, or several of them with ` & ` between; `?` says what the model sees, and the last answer
says what the tools came to.
"""

from collections.abc import AsyncIterator
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from hosting import tool
from hosting.adapters.models.toolsets import toolsets_of
from hosting.domain.config_text import read_config
from hosting.domain.definition import AgentConfig


async def _answer(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
    lines, done = _script(messages)
    if done >= len(lines):
        returned = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        yield "\n".join(f"{part.tool_name} {part.outcome}: {part.model_response_str()}" for part in returned)
        return
    if lines[done] == "?":
        yield f"{' '.join(sorted(tool.name for tool in info.function_tools))}\n{info.instructions or ''}"
        return
    for at, call in enumerate(lines[done].split(" & ")):
        name, _, arguments = call.partition(" ")
        yield {at: DeltaToolCall(name=name, json_args=arguments or "{}", tool_call_id=f"call_{len(messages)}_{at}")}


def _script(messages: list[ModelMessage]) -> tuple[list[str], int]:
    """Return what the model is told to do in this run, and how much of it is done."""
    lines, done = [""], 0
    for message in messages:
        if isinstance(message, ModelResponse):
            done += 1
        for part in message.parts if isinstance(message, ModelRequest) else ():
            if isinstance(part, UserPromptPart):
                lines, done = str(part.content).splitlines(), 0
    return lines, done


@tool
def roll() -> int:
    """Roll a die."""
    return 4


@tool(requires_permission=True)
def bet() -> str:
    """Bet."""
    with Path("bets.txt").open("a", encoding="utf-8") as bets:
        bets.write("bet\n")
    return "placed"


toolbox = Agent(
    FunctionModel(stream_function=_answer),
    name="toolbox",
    toolsets=toolsets_of(
        read_config(Path("toolsets.json").read_bytes(), AgentConfig),
        [roll, bet],
    ),
)
