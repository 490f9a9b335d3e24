"""The messages of an input, in whichever shape they came."""

import msgspec

from events.branches import TextContent
from events.ids import RunId, is_client_id
from events.inputs import ChatMessage, Input, UserMessagesInput, UserTextInput
from events.text import Role
from hosting.domain.errors import InvalidInput
from hosting.domain.message import Message
from hosting.runtime.core import Runtime


def messages_of(runtime: Runtime, received: Input, run_id: RunId) -> tuple[Message, ...]:
    """Return the messages that an input brings, the last one a user's.

    Raises:
        InvalidInput: they cannot be taken.
    """
    return tuple(_messages(runtime, received, run_id))


def _messages(runtime: Runtime, received: Input, run_id: RunId) -> list[Message]:
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
    messages = [_message(runtime, given, index, run_id) for index, given in enumerate(received.messages)]
    if len({message.id for message in messages}) < len(messages):
        raise InvalidInput("Two of `messages` have the same `messageId`.")
    return messages


def _message(runtime: Runtime, given: ChatMessage, index: int, run_id: RunId) -> Message:
    if given.message_id is not None and not is_client_id(given.message_id):
        raise InvalidInput(f"`messages[{index}].messageId` must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
    contents = tuple(TextContent(text=text) for text in _texts(given, index))
    if not any(content.text for content in contents):
        raise InvalidInput(f"`messages[{index}]` has no text.")
    return Message(given.message_id or runtime.ids.message(), given.role, contents, run_id=run_id)


def _texts(given: ChatMessage, index: int) -> list[str]:
    shapes = [shape for shape in (given.text, given.content, given.contents) if shape is not None]
    if len(shapes) != 1:
        raise InvalidInput(f"`messages[{index}]` must have exactly one of `text`, `content` and `contents`.")
    shape = shapes[0]
    if isinstance(shape, str):
        return [shape]
    return [_part_text(part, f"messages[{index}].contents[{place}]") for place, part in enumerate(shape)]


def _part_text(part: msgspec.Raw, where: str) -> str:
    try:
        return msgspec.json.decode(part, type=TextContent).text
    except msgspec.ValidationError as error:
        raise InvalidInput(f"`{where}` is not a content of `$type` text: {error}.") from error
