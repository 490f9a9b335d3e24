"""What a call of a client's tool came to, as the agent and the log are told."""

from typing import Any, Final

import msgspec
from msgspec import Raw

from events.client_tools import ClientToolInvokeResponse
from events.tools import ResultType, ToolJson, ToolResult, ToolText

_encode: Final = msgspec.json.Encoder().encode
_NO_REASON: Final = "The client did not say what went wrong."


def result_of(response: ClientToolInvokeResponse) -> ToolResult:
    """Return what an answer comes to.

    One piece is text and JSON alike: text as a string, JSON as it is written, null as nothing. Bytes, and several
    pieces, are content.
    """
    if not response.success:
        return ToolResult(text=f"Error: {response.error_message or _NO_REASON}", result_type=ResultType.ERROR)
    match response.content:
        case ():
            return ToolResult()
        case (ToolText(text=text),):
            return _of_value(text)
        case (ToolJson(value=value),):
            return _of_value(value)
        case content:
            return ToolResult(content=content)


def timeout_result(tool_name: str) -> ToolResult:
    """Return what stands for the result when the client did not answer in time."""
    return ToolResult(
        text=f"The client did not answer the call of {tool_name} in time; what it did is not known.",
        result_type=ResultType.TIMEOUT,
    )


def _of_value(value: Any) -> ToolResult:
    if value is None:
        return ToolResult()
    json = _encode(value)
    return ToolResult(text=value if isinstance(value, str) else json.decode(), json=Raw(json))
