"""What an MCP server answers to a call, as the result of a tool."""

import base64
from collections.abc import Iterator
from typing import Final

import msgspec
from mcp import types
from msgspec.structs import replace

from events.tools import NO_JSON, ToolBinary, ToolContent, ToolResult
from hosting.adapters.models.secrets import Secrets
from hosting.adapters.models.toolset_failed import ToolsetFailed
from hosting.domain.data_uri import is_media_type

_MOST_CHARACTERS: Final = 256 << 10
_MOST_ENCODED: Final = 2 * _MOST_CHARACTERS
_MOST_BASE64: Final = 4 << 20


def result_of_call(answer: types.CallToolResult, secrets: Secrets) -> ToolResult:
    """Return an answer as a result: its words as text, what is structured as JSON too, images and sounds as content.

    Raises:
        ToolsetFailed: the tool failed, and says why.
    """
    pieces = list(answer.content)
    words = "\n".join(_words(pieces))
    text = _cut(secrets.hide(words).replace("\x00", "\ufffd"))
    if answer.is_error:
        raise ToolsetFailed(text or "The tool says that it failed, and not why.")
    structured = text if answer.structured_content is None else answer.structured_content
    encoded = secrets.hide(msgspec.json.encode(structured or None).decode()).encode()
    is_told = bool(structured) and len(encoded) <= _MOST_ENCODED
    return ToolResult(
        text=text or None,
        json=msgspec.Raw(encoded) if is_told else NO_JSON,
        content=tuple(_binaries(pieces)) or None,
    )


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}\n(Cut here: {len(text)} characters in all.)"


def _words(pieces: list[types.ContentBlock]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, types.TextContent):
            yield piece.text
        elif isinstance(piece, types.ResourceLink):
            yield f"{piece.name}: {piece.uri}"
        elif isinstance(piece, types.EmbeddedResource) and isinstance(piece.resource, types.TextResourceContents):
            yield piece.resource.text
        elif _binary(piece) is None:
            yield "(Left out: a file that is too large, or broken.)"


def _binaries(pieces: list[types.ContentBlock]) -> Iterator[ToolContent]:
    return (binary for binary in map(_binary, pieces) if binary is not None)


def _binary(piece: types.ContentBlock) -> ToolBinary | None:
    if isinstance(piece, types.ImageContent | types.AudioContent):
        return _whole(ToolBinary(mime_type=piece.mime_type, data=piece.data))
    if isinstance(piece, types.EmbeddedResource) and isinstance(piece.resource, types.BlobResourceContents):
        resource, mime_type = piece.resource, piece.resource.mime_type or "application/octet-stream"
        return _whole(ToolBinary(mime_type=mime_type, data=resource.blob, filename=str(resource.uri)[-200:]))
    return None


def _whole(binary: ToolBinary) -> ToolBinary | None:
    data = binary.data or ""
    mime_type = binary.mime_type.partition(";")[0].strip().lower()
    if len(data) > _MOST_BASE64 or not is_media_type(mime_type):
        return None
    try:
        # Whoever gives it to a model decodes it, outside of the call: what fails there ends the run.
        base64.b64decode(data, validate=True)
    except ValueError:
        return None
    return replace(binary, mime_type=mime_type)
