"""What tools of pydantic-ai return, as results of a run, and back again."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from pydantic_ai import ToolDenied, ToolReturn
from pydantic_ai.exceptions import ModelRetry, ToolFailed
from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    FileUrl,
    ImageUrl,
    UserContent,
    VideoUrl,
    is_multi_modal_content,
)
from pydantic_core import to_jsonable_python

from events.tools import ResultType, ToolBinary, ToolContent, ToolJson, ToolResult, ToolText

_URLS: Final[Mapping[str, type[ImageUrl | AudioUrl | VideoUrl]]] = {
    "image": ImageUrl,
    "audio": AudioUrl,
    "video": VideoUrl,
}


class _Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Says in a result that the tool wants to be called again, differently."""

    model_retry: str


_retry: Final = msgspec.json.Decoder(_Retry)


def result_of(returned: Any) -> ToolResult:
    """Return a tool's value as a result: what the model is given is in it, in a form that a restart keeps."""
    content: Sequence[Any] | str = ()
    if isinstance(returned, ToolReturn):
        returned, content = returned.return_value, returned.content or ()
    given = [content] if isinstance(content, str) else list(content)
    if (files := _with_files(returned)) is not None:
        returned, given = None, [*files, *given]
    pieces = tuple(_piece(item) for item in given)
    if returned is None:
        return ToolResult(content=pieces or None)
    encoded = msgspec.json.encode(to_jsonable_python(returned, fallback=str))
    text = returned if isinstance(returned, str) else encoded.decode()
    return ToolResult(text=text, json=msgspec.Raw(encoded), content=pieces or None)


def retry_result(error: ModelRetry) -> ToolResult:
    """Return the result of a call whose tool wants to be called again, differently."""
    asked = msgspec.Raw(msgspec.json.encode(_Retry(error.message)))
    return ToolResult(text=error.message, json=asked, result_type=ResultType.ERROR)


def failed_result(error: ToolFailed) -> ToolResult:
    """Return the result of a call that failed in the words of its tool."""
    return ToolResult(text=error.message, result_type=ResultType.ERROR)


def value_of(result: ToolResult) -> Any:
    """Return the value that a result stands for, as JSON gives it back: the same before and after a restart.

    Raises:
        ModelRetry: the tool wants to be called again, differently.
        ToolFailed: the call failed; the model is told.
    """
    if result.result_type is ResultType.DENIED:
        return ToolDenied(result.text or "The call was denied.")
    if result.result_type is not None:
        _raise_retry(result)
        raise ToolFailed(result.text or "The call failed.")
    value, beside = shown(result)
    return ToolReturn(return_value=value, content=beside) if beside else value


def shown(result: ToolResult) -> tuple[Any, list[UserContent]]:
    """Return what a model is shown of a result: its value, and the pieces of content that are not in that."""
    contents = [_user_content(piece) for piece in result.content or ()]
    if bytes(result.json):
        return msgspec.json.decode(result.json), contents
    if result.text is not None or not contents:
        return result.text, contents
    return contents if len(contents) > 1 else contents[0], []


def file_at(uri: str, media_type: str) -> UserContent:
    """Return a file that is somewhere else, for a model to look at."""
    # Without `force_download`: it is the provider that fetches. Where a provider takes no addresses, pydantic-ai
    # does, from public addresses only; see docs/how-to/send-files.md.
    kind = media_type.partition("/")[0]
    return _URLS.get(kind, DocumentUrl)(uri, media_type=media_type)


def _raise_retry(result: ToolResult) -> None:
    if not bytes(result.json):
        return
    try:
        raise ModelRetry(_retry.decode(result.json).model_retry)
    except msgspec.ValidationError:
        return


def _with_files(returned: Any) -> Sequence[Any] | None:
    """Return the items of a value that has files in it; None when it has none."""
    items = returned if isinstance(returned, list | tuple) else [returned]
    return items if any(is_multi_modal_content(item) for item in items) else None


def _piece(item: Any) -> ToolContent:
    if isinstance(item, str):
        return ToolText(text=item)
    if isinstance(item, BinaryContent):
        return ToolBinary(mime_type=item.media_type, data=base64.b64encode(item.data).decode())
    if isinstance(item, FileUrl):
        return ToolBinary(mime_type=_media_type(item), url=item.url)
    return ToolJson(value=to_jsonable_python(item, fallback=str))


def _media_type(file: FileUrl) -> str:
    try:
        return file.media_type
    except ValueError:
        # Nothing in the address says it, and nobody has looked.
        kind = next((kind for kind, made in _URLS.items() if isinstance(file, made)), "application")
        return f"{kind}/octet-stream"


def _user_content(piece: ToolContent) -> UserContent:
    if isinstance(piece, ToolText):
        return piece.text
    if isinstance(piece, ToolJson):
        return msgspec.json.encode(piece.value).decode()
    if piece.data is None:
        return f"(a file of the type {piece.mime_type})" if piece.url is None else file_at(piece.url, piece.mime_type)
    try:
        return BinaryContent(data=base64.b64decode(piece.data), media_type=piece.mime_type)
    except ValueError:
        # A client has sent it, and nobody looked whether it is base64: no reason to end the run.
        return f"(a file of the type {piece.mime_type} that cannot be read)"
