"""A branch's conversation, as a model is given it."""

from collections.abc import Iterator, Sequence

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from events.branches import FunctionCall, FunctionResult, TextContent
from events.text import Role
from events.tools import ResultType
from hosting.domain.message import Message
from hosting.ports.agents import RunContext


async def said_before(context: RunContext) -> list[ModelMessage]:
    """Return the conversation before the last message of the input: the same each time that the run begins."""
    said: list[Message] = []
    for message in await context.history():
        if message.id == context.input[-1].id:
            break
        said.append(message)
    return list(_model_messages(said))


def prompt_of(message: Message) -> str:
    """Return what the user says in a message."""
    return message.text


def _model_messages(messages: Sequence[Message]) -> Iterator[ModelMessage]:
    for message in messages:
        if message.role is Role.SYSTEM:
            yield ModelRequest(parts=[SystemPromptPart(content=message.text)])
        elif message.role is Role.USER:
            yield ModelRequest(parts=[UserPromptPart(content=prompt_of(message))])
        else:
            yield from _answer(message)


def _answer(message: Message) -> Iterator[ModelMessage]:
    parts: list[ModelResponsePart] = []
    returns: list[ToolReturnPart] = []
    names = {call.call_id: call.name for call in message.calls}
    for content in message.contents:
        if isinstance(content, TextContent) and content.text:
            parts.append(TextPart(content=content.text))
        elif isinstance(content, FunctionCall):
            parts.append(ToolCallPart(tool_name=content.name, args=content.arguments, tool_call_id=content.call_id))
        elif isinstance(content, FunctionResult) and content.call_id in names:
            returns.append(_returned(names[content.call_id], content))
    if parts:
        yield ModelResponse(parts=parts)
    if returns:
        yield ModelRequest(parts=list(returns))


def _returned(name: str, content: FunctionResult) -> ToolReturnPart:
    result = content.result
    part = ToolReturnPart(tool_name=name, content=result.text or "", tool_call_id=content.call_id)
    if result.result_type is ResultType.DENIED:
        part.outcome = "denied"
    elif result.result_type is ResultType.INTERRUPTED:
        part.outcome = "interrupted"
    elif result.result_type is not None:
        part.outcome = "failed"
    return part
