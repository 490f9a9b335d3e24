"""What tools of pydantic-ai return, as results of a run, and back again."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from pydantic_ai import ToolDenied, ToolReturn
from pydantic_ai.exceptions import ModelRetry, ToolFailed
from pydantic_ai.messages import BinaryContent
from pydantic_core import to_jsonable_python

from events.tools import ResultType, ToolBinary, ToolContent, ToolJson, ToolResult, ToolText


class _Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Says in a result that the tool wants to be called again, differently."""

    model_retry: str


_retry: Final = msgspec.json.Decoder(_Retry)


def result_of(returned: Any) -> ToolResult:
    """Return a tool's value as a result: what the model is given is in it, in a form that a restart keeps."""
    content: Sequence[Any] | str | None = None
    if isinstance(returned, ToolReturn):
        returned, content = returned.return_value, returned.content
    if isinstance(returned, BinaryContent):
        returned, content = None, [returned]
    pieces = tuple(_piece(item) for item in ([content] if isinstance(content, str) else content or ()))
    if returned is None:
        return ToolResult(content=pieces or None)
    encoded = msgspec.json.encode(to_jsonable_python(returned, fallback=str))
    text = returned if isinstance(returned, str) else encoded.decode()
    return ToolResult(text=text, json=msgspec.Raw(encoded), content=pieces or None)


def retry_result(error: ModelRetry) -> ToolResult:
    """Return the result of a call whose tool wants to be called again, differently."""
    asked = msgspec.Raw(msgspec.json.encode(_Retry(error.message)))
    return ToolResult(text=error.message, json=asked, result_type=ResultType.ERROR)


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
    value = msgspec.json.decode(result.json) if bytes(result.json) else result.text
    if not result.content:
        return value
    return ToolReturn(return_value=value, content=[_user_content(piece) for piece in result.content])


def _raise_retry(result: ToolResult) -> None:
    if not bytes(result.json):
        return
    try:
        raise ModelRetry(_retry.decode(result.json).model_retry)
    except msgspec.ValidationError:
        return


def _piece(item: Any) -> ToolContent:
    if isinstance(item, str):
        return ToolText(text=item)
    if isinstance(item, BinaryContent):
        return ToolBinary(mime_type=item.media_type, data=base64.b64encode(item.data).decode())
    return ToolJson(value=to_jsonable_python(item, fallback=str))


def _user_content(piece: ToolContent) -> Any:
    if isinstance(piece, ToolText):
        return piece.text
    if isinstance(piece, ToolJson):
        return msgspec.json.encode(piece.value).decode()
    return BinaryContent(data=base64.b64decode(piece.data or ""), media_type=piece.mime_type)
