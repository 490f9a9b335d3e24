"""Files that are sent along with a text."""

import mimetypes
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from events.branches import DataContent, TextContent
from events.inputs import ChatMessage, Input, RunningRunBehavior, UserMessagesInput, UserTextInput

MOST_BYTES: Final = 12 << 20
"""What may be attached: as base64 it fills a body of 16 MiB."""


def input_of(text: str, files: Sequence[Path], behavior: RunningRunBehavior) -> Input:
    """Return a text as an input, with the files behind it in one message.

    Raises:
        OSError: a file cannot be read.
    """
    if not files:
        return UserTextInput(text=text, running_run_behavior=behavior)
    contents = (TextContent(text=text), *map(_content, files))
    message = ChatMessage(contents=tuple(msgspec.Raw(msgspec.json.encode(content)) for content in contents))
    return UserMessagesInput(messages=(message,), running_run_behavior=behavior)


def _content(file: Path) -> DataContent:
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    data = b64encode(file.read_bytes()).decode()
    return DataContent(uri=f"data:{media_type};base64,{data}", media_type=media_type)
