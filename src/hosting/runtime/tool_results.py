"""What tools return, as their results are told."""

from typing import Any, Final

import msgspec

from events.tools import ResultType, ToolResult
from hosting.ports.agents import ToolOutcome
from middleware.errors import CallDenied, CallFailed

_ERROR: Final = "Error: "


def to_result(returned: object) -> ToolResult:
    """Return a tool's value as a result: text also as JSON, JSON also as text; None is an empty one.

    Raises:
        TypeError, UnicodeEncodeError, DecodeError: JSON cannot hold it, or what it says is JSON is none.
    """
    if isinstance(returned, ToolResult):
        # Encoded here, where a mistake is the tool's, and not where the result is stored.
        msgspec.json.encode(returned)
        if bytes(returned.json):
            msgspec.json.decode(returned.json)
        return returned
    if returned is None:
        return ToolResult()
    encoded = msgspec.json.encode(returned)
    text = returned if isinstance(returned, str) else encoded.decode()
    return ToolResult(text=text, json=msgspec.Raw(encoded))


def error_result(sentence: str) -> ToolResult:
    """Return the result of a call that failed."""
    return ToolResult(text=f"{_ERROR}{sentence}", result_type=ResultType.ERROR)


def value_of(outcome: ToolOutcome) -> Any:
    """Return what a call came to as a value, the same before and after a restart.

    Raises:
        CallDenied: the call was not allowed.
        CallFailed: it failed.
    """
    result = outcome.result
    if result.result_type is ResultType.DENIED:
        raise CallDenied(outcome.name, outcome.text)
    if result.result_type is not None:
        raise CallFailed(outcome.name, outcome.text.removeprefix(_ERROR) or f"The call of {outcome.name} failed.")
    if bytes(result.json):
        return msgspec.json.decode(result.json)
    return result.text if result.content is None else msgspec.to_builtins(result.content)


INTERRUPTED: Final = ToolResult(text="The call was interrupted.", result_type=ResultType.INTERRUPTED)
