"""Tools made of functions, in the hands of a model."""

from collections.abc import AsyncIterator

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from hosting import tool
from hosting.adapters.models.agent import ModelAgent
from hosting.testing import converse


@tool(requires_permission=True)
async def delete_file(name: str) -> str:
    """Delete a file."""
    return f"{name} is deleted."


def test_a_model_sees_what_a_tool_takes_and_hears_which_argument_was_wrong_before_anybody_is_asked() -> None:
    shown: list[object] = []

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        returned = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
        if not returned:
            shown.extend((each.name, each.description, each.parameters_json_schema) for each in info.function_tools)
            yield {0: DeltaToolCall(name="delete_file", json_args='{"name":7}', tool_call_id="call_1")}
        elif len(returned) == 1:
            yield {0: DeltaToolCall(name="delete_file", json_args='{"name":"a.txt"}', tool_call_id="call_2")}
        else:
            yield str(returned[-1].content)

    cleaner = ModelAgent("cleaner", Agent(FunctionModel(stream_function=answer)), tools=[delete_file])
    conversation = converse(cleaner, "a.txt", approve=True)

    assert shown == [("delete_file", "Delete a file.", delete_file.parameters_schema)]
    assert [(call.arguments, call.result, call.outcome) for call in conversation.calls] == [
        ({"name": 7}, "Error: The argument `name` does not fit: expected `str`, got `int`.", "error"),
        ({"name": "a.txt"}, "a.txt is deleted.", None),
    ]
    assert len(conversation.asked) == 1
    assert conversation.said == ["a.txt is deleted."]
