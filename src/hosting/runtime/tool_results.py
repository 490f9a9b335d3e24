"""What tools return, as their results are told."""

from typing import Final

import msgspec

from events.tools import ResultType, ToolResult


def to_result(returned: object) -> ToolResult:
    """Return a tool's value as a result: text also as JSON, JSON also as text; None is an empty one.

    Raises:
        TypeError, UnicodeEncodeError: JSON cannot hold it.
    """
    if isinstance(returned, ToolResult):
        # Encoded here, where a mistake is the tool's, and not where the result is stored.
        msgspec.json.encode(returned)
        return returned
    if returned is None:
        return ToolResult()
    encoded = msgspec.json.encode(returned)
    text = returned if isinstance(returned, str) else encoded.decode()
    return ToolResult(text=text, json=msgspec.Raw(encoded))


def error_result(sentence: str) -> ToolResult:
    """Return the result of a call that failed."""
    return ToolResult(text=f"Error: {sentence}", result_type=ResultType.ERROR)


INTERRUPTED: Final = ToolResult(text="The call was interrupted.", result_type=ResultType.INTERRUPTED)
