"""An agent of pydantic-ai as people have them, with a model that needs no network; `calls.txt` has its calls."""

from collections.abc import AsyncIterator
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ThinkingPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel


async def _answer(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
    returned = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if returned:
        yield "Done: "
        yield ", ".join(f"{part.tool_name} {part.content} {part.outcome}" for part in returned)
        return
    yield "Let me "
    yield "see."
    yield {0: DeltaToolCall(name="weather", json_args='{"city":', tool_call_id="call_weather")}
    yield {0: DeltaToolCall(json_args='"Oslo"}')}
    yield {1: DeltaToolCall(name="book", json_args='{"city":"Oslo"}', tool_call_id="call_book")}


def _answer_whole(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[ThinkingPart("Hm."), TextPart("Here I am.")])


curt = Agent(FunctionModel(_answer_whole), name="curt")
traveller = Agent(FunctionModel(stream_function=_answer), name="traveller")


def _note(name: str) -> None:
    with Path("calls.txt").open("a", encoding="utf-8") as notes:
        notes.write(f"{name}\n")


@traveller.tool_plain
def weather(city: str) -> str:
    """Tell the weather."""
    _note("weather")
    return f"rain in {city}"


@traveller.tool_plain(requires_approval=True)
def book(city: str) -> dict[str, str]:
    """Book a journey."""
    _note("book")
    return {"booked": city}
