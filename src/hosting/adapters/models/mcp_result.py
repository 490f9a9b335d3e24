"""What an MCP server answers to a call, as the result of a tool."""

from collections.abc import Iterator
from typing import Final

import msgspec
from mcp import types

from events.tools import ToolBinary, ToolContent, ToolResult
from hosting.adapters.models.secrets import Secrets
from hosting.adapters.models.toolset_failed import ToolsetFailed

MOST_CHARACTERS: Final = 256 << 10
_MOST_BASE64: Final = 4 << 20


def result_of_call(answer: types.CallToolResult, secrets: Secrets) -> ToolResult:
    """Return an answer as a result: its words as text, what is structured as JSON too, images and sounds as content.

    Raises:
        ToolsetFailed: the tool failed, and says why.
    """
    pieces = list(answer.content)
    words = "\n".join(_words(pieces))
    text = cut(secrets.hide(words))
    if answer.is_error:
        raise ToolsetFailed(text or "The tool says that it failed, and not why.")
    structured = answer.structured_content
    encoded = b"" if structured is None else secrets.hide(msgspec.json.encode(structured).decode()).encode()
    if len(encoded) > MOST_CHARACTERS:
        encoded = b""
    content = tuple(_binaries(pieces))
    return ToolResult(text=text, json=msgspec.Raw(encoded or msgspec.json.encode(text)), content=content or None)


def cut(text: str) -> str:
    """Return a text that is no longer than a model can use."""
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n(Cut here: {len(text)} characters in all.)"


def _words(pieces: list[types.ContentBlock]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, types.TextContent):
            yield piece.text
        elif isinstance(piece, types.ResourceLink):
            yield f"{piece.name}: {piece.uri}"
        elif isinstance(piece, types.EmbeddedResource) and isinstance(piece.resource, types.TextResourceContents):
            yield piece.resource.text
        elif _size(piece) > _MOST_BASE64:
            yield f"(Left out: {_size(piece)} characters of base64.)"


def _binaries(pieces: list[types.ContentBlock]) -> Iterator[ToolContent]:
    for piece in pieces:
        if _size(piece) > _MOST_BASE64:
            continue
        if isinstance(piece, types.ImageContent | types.AudioContent):
            yield ToolBinary(mime_type=piece.mime_type, data=piece.data)
        elif isinstance(piece, types.EmbeddedResource) and isinstance(piece.resource, types.BlobResourceContents):
            mime_type = piece.resource.mime_type or "application/octet-stream"
            yield ToolBinary(mime_type=mime_type, data=piece.resource.blob, filename=str(piece.resource.uri)[-200:])


def _size(piece: types.ContentBlock) -> int:
    if isinstance(piece, types.ImageContent | types.AudioContent):
        return len(piece.data)
    if isinstance(piece, types.EmbeddedResource) and isinstance(piece.resource, types.BlobResourceContents):
        return len(piece.resource.blob)
    return 0
