"""The uploaded files that a conversation refers to, read for a model when it is asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic_ai.messages import BinaryContent, UserContent

from events.branches import UriContent
from hosting.adapters.models.sparing import SPARED
from hosting.domain.content import is_content_uri
from hosting.domain.content_errors import ContentGone, ContentTooLarge
from hosting.domain.message import Message
from hosting.ports.agents import RunContext

Files = Mapping[str, UserContent]
"""What a model is given for each URI of an uploaded file."""

NO_FILES: Final[Files] = {}
MOST_BYTES: Final = 32 << 20
"""How much of uploads is read for one run: providers take less in one call, and a server has many runs."""
DELETED: Final = "(a file that has been deleted since)"


async def files_of(context: RunContext, said_now: Message, said_before: Sequence[Message]) -> Files:
    """Read what a conversation refers to; of earlier messages the newest first, and words for what is left out.

    Raises:
        ContentGone: a file of what is said now is not there any more.
        ContentTooLarge: those are too large.
    """
    files: dict[str, UserContent] = {}
    left = MOST_BYTES
    for content in _uploads(said_now):
        if content.uri not in files:
            data = await context.content(content.uri, most_bytes=left)
            files[content.uri], left = _file(content, data), left - len(data)
    for content in (each for message in reversed(said_before) for each in _uploads(message)):
        if content.uri not in files:
            try:
                data = await context.content(content.uri, most_bytes=left)
            except ContentGone:
                files[content.uri] = DELETED
            except ContentTooLarge:
                files[content.uri] = SPARED
            else:
                files[content.uri], left = _file(content, data), left - len(data)
    return files


def _uploads(message: Message) -> Iterator[UriContent]:
    for content in message.contents:
        if isinstance(content, UriContent) and is_content_uri(content.uri):
            yield content


def _file(content: UriContent, data: bytes) -> UserContent:
    return BinaryContent.narrow_type(BinaryContent(data, media_type=content.media_type))
