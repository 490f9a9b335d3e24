"""A branch's conversation, as a model is given it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)

from events.branches import Content, DataContent, FunctionCall, FunctionResult, TextContent, UriContent
from events.ids import is_summary
from events.text import Role
from events.tools import ResultType, ToolResult
from hosting.adapters.models.attached import NO_FILES, Files
from hosting.adapters.models.returns import file_at, shown
from hosting.domain.data_uri import DataUri
from hosting.domain.message import Message
from hosting.ports.agents import RunContext

_UNANSWERED: Final = ToolResult(text="The call was interrupted.", result_type=ResultType.INTERRUPTED)


async def said_before(context: RunContext) -> list[Message]:
    """Return the conversation before the last message of the input: the same each time that the run begins."""
    said: list[Message] = []
    is_behind = False
    for message in await context.history():
        if message.id == context.input[-1].id:
            is_behind = True
        elif not is_behind or message.run_id != context.run_id:
            # What is behind it and not of this run was said by one that ended before anybody heard the input.
            said.append(message)
    return said


def prompt_of(message: Message, files: Files = NO_FILES) -> str | Sequence[UserContent]:
    """Return what the user says in a message: a text as it is, text and files in the order of the message."""
    if all(isinstance(content, TextContent) for content in message.contents):
        return message.text
    said = [_said(content, files) for content in message.contents]
    return [each for each in said if each]


def _said(content: Content, files: Files) -> UserContent:
    if isinstance(content, UriContent) and content.uri in files:
        return files[content.uri]
    if isinstance(content, DataContent):
        data = DataUri.read(content.uri).decoded()
        return BinaryContent.narrow_type(BinaryContent(data, media_type=content.media_type))
    if isinstance(content, UriContent):
        return file_at(content.uri, content.media_type)
    return content.text if isinstance(content, TextContent) else ""


def model_messages(messages: Sequence[Message], files: Files = NO_FILES) -> Iterator[ModelMessage]:
    """Yield a conversation as a model is given it."""
    for message in messages:
        if is_summary(message.id):
            # A user's, for the model: some take what the system says only before all else, and begin with a user.
            yield ModelRequest(parts=[UserPromptPart(content=message.text)])
        elif message.role is Role.SYSTEM:
            yield ModelRequest(parts=[SystemPromptPart(content=message.text)])
        elif message.role is Role.USER:
            yield ModelRequest(parts=[UserPromptPart(content=prompt_of(message, files))])
        else:
            yield from _answer(message)


def _answer(message: Message) -> Iterator[ModelMessage]:
    parts: list[ModelResponsePart] = []
    results = {content.call_id: content.result for content in message.contents if isinstance(content, FunctionResult)}
    for content in message.contents:
        if isinstance(content, TextContent) and content.text:
            parts.append(TextPart(content=content.text))
        elif isinstance(content, FunctionCall):
            parts.append(ToolCallPart(tool_name=content.name, args=content.arguments, tool_call_id=content.call_id))
    if parts:
        yield ModelResponse(parts=parts)
    # Each call has one: providers refuse a conversation in which a call was never answered.
    returned: list[ModelRequestPart] = []
    files: list[UserContent] = []
    for call in message.calls:
        result = results.get(call.call_id, _UNANSWERED)
        value, beside = shown(result)
        returned.append(_returned(call, result, value))
        files += beside
    if files:
        returned.append(UserPromptPart(content=files))
    if returned:
        yield ModelRequest(parts=returned)


def _returned(call: FunctionCall, result: ToolResult, value: Any) -> ToolReturnPart:
    content = value if result.result_type is None else result.text or ""
    part = ToolReturnPart(tool_name=call.name, content=content, tool_call_id=call.call_id)
    if result.result_type is ResultType.DENIED:
        part.outcome = "denied"
    elif result.result_type is ResultType.INTERRUPTED:
        part.outcome = "interrupted"
    elif result.result_type is not None:
        part.outcome = "failed"
    return part
