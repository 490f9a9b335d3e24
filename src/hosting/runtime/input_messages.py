"""The messages of an input, in whichever shape they came."""

import asyncio
from typing import Final

from events.branches import TextContent
from events.ids import ContentId, RunId, is_client_id, is_summary
from events.inputs import ChatMessage, Input, UserMessagesInput, UserTextInput
from events.text import Role
from hosting.domain.errors import InvalidInput
from hosting.domain.message import Message
from hosting.domain.scope import BranchScope
from hosting.runtime.core import Runtime
from hosting.runtime.input_contents import NO_UPLOADS, InputContent, Uploads, read_content, upload_named

_TOO_LARGE_FOR_THE_LOOP: Final = 256 << 10


async def messages_of(runtime: Runtime, scope: BranchScope, received: Input, run_id: RunId) -> tuple[Message, ...]:
    """Return the messages that an input to a branch brings, the last one a user's.

    Raises:
        InvalidInput: they cannot be taken.
    """
    is_small = _size(received) <= _TOO_LARGE_FOR_THE_LOOP
    named = _named(received) if is_small else await asyncio.to_thread(_named, received)
    uploads = NO_UPLOADS
    if named and runtime.contents is not None:
        uploads = await runtime.contents.find(scope.tenant, scope.session_id, named)
    if is_small:
        return tuple(_messages(runtime, received, run_id, uploads))
    return tuple(await asyncio.to_thread(_messages, runtime, received, run_id, uploads))


def _named(received: Input) -> set[ContentId]:
    """Return the uploaded files that an input names."""
    messages = received.messages if isinstance(received, UserMessagesInput) else ()
    named = {upload_named(part) for message in messages for part in message.contents or ()}
    return {each for each in named if each is not None}


def _size(received: Input) -> int:
    """Return how many bytes have yet to be looked at."""
    messages = received.messages if isinstance(received, UserMessagesInput) else ()
    return sum(memoryview(part).nbytes for message in messages for part in message.contents or ())


def _messages(runtime: Runtime, received: Input, run_id: RunId, uploads: Uploads) -> list[Message]:
    if isinstance(received, UserTextInput):
        if not received.text:
            raise InvalidInput("`text` must not be empty.")
        return [Message(runtime.ids.message(), Role.USER, (TextContent(text=received.text),), run_id=run_id)]
    if not isinstance(received, UserMessagesInput):
        raise InvalidInput(f"{type(received).__name__} cannot start a run.")
    if not received.messages:
        raise InvalidInput("`messages` must have at least one message.")
    if received.messages[-1].role is not Role.USER:
        raise InvalidInput("The last of `messages` must have the role `user`.")
    messages = [_message(runtime, given, index, run_id, uploads) for index, given in enumerate(received.messages)]
    if len({message.id for message in messages}) < len(messages):
        raise InvalidInput("Two of `messages` have the same `messageId`.")
    return messages


def _message(runtime: Runtime, given: ChatMessage, index: int, run_id: RunId, uploads: Uploads) -> Message:
    if given.message_id is not None and not is_client_id(given.message_id):
        raise InvalidInput(f"`messages[{index}].messageId` must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
    if given.message_id is not None and is_summary(given.message_id):
        raise InvalidInput(f"`messages[{index}].messageId` must not begin with sum_, as ids of summaries do.")
    contents = tuple(_contents(given, f"messages[{index}]", uploads))
    if not any(not isinstance(content, TextContent) or content.text for content in contents):
        raise InvalidInput(f"`messages[{index}]` has neither text nor a file.")
    return Message(given.message_id or runtime.ids.message(), given.role, contents, run_id=run_id)


def _contents(given: ChatMessage, where: str, uploads: Uploads) -> list[InputContent]:
    shapes = [shape for shape in (given.text, given.content, given.contents) if shape is not None]
    if len(shapes) != 1:
        raise InvalidInput(f"`{where}` must have exactly one of `text`, `content` and `contents`.")
    shape = shapes[0]
    if isinstance(shape, str):
        return [TextContent(text=shape)]
    contents = [read_content(part, f"{where}.contents[{place}]", uploads) for place, part in enumerate(shape)]
    if given.role is not Role.USER and not all(isinstance(content, TextContent) for content in contents):
        # No provider takes files from anybody else; what is refused here would fail the run.
        raise InvalidInput(f"`{where}` has a file, which only a message with the role `user` can have.")
    return contents
