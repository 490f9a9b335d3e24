"""A tool call and what it came to, each as one line."""

from collections.abc import Mapping
from typing import Any

import msgspec

from events.tools import ResultType, ToolBinary, ToolContent, ToolJson, ToolResult, ToolText
from hosting.cli.legible import cut, exact, one_line

_LONGEST_VALUE = 60
# What is looked at of a result, of which one line is shown.
_LONGEST_RESULT = 4_000
_FELL_OUT = {
    ResultType.ERROR: "failed",
    ResultType.DENIED: "denied",
    ResultType.TIMEOUT: "timed out",
    ResultType.INTERRUPTED: "interrupted",
}


def call_line(name: str, args_json: str) -> str:
    """Return a call as one line with long values cut: `delete_file(path="notes.txt")`."""
    try:
        arguments = msgspec.json.decode(args_json, type=dict[str, Any])
    except msgspec.DecodeError:
        return f"{exact(name)}({cut(one_line(args_json), _LONGEST_VALUE)})"
    return call_text(name, arguments, longest=_LONGEST_VALUE)


def call_text(name: str, arguments: Mapping[str, Any], *, longest: int) -> str:
    """Return a call with values of at most so many cells each."""
    given = (f"{exact(key)}={value_text(value, longest=longest)}" for key, value in arguments.items())
    return f"{exact(name)}({', '.join(given)})"


def value_text(value: Any, *, longest: int) -> str:
    """Return an argument as JSON in which everything can be seen, cut to so many cells."""
    # One more than `cut` looks at, so that it still sees that there is more.
    return cut(exact(msgspec.json.encode(value).decode()[: 4 * longest + 1]), longest)


def result_line(result: ToolResult) -> str:
    """Return a result as one line: how it fell out, when not as it should, and what there is of it."""
    text = one_line(_text(result)[:_LONGEST_RESULT])
    if result.result_type is None:
        return text or "(nothing)"
    fell_out = _FELL_OUT[result.result_type]
    if result.result_type is ResultType.INTERRUPTED:
        return fell_out
    return f"{fell_out}: {text.removeprefix('Error: ')}" if text else fell_out


def _text(result: ToolResult) -> str:
    if result.text is not None:
        return result.text
    if json := bytes(result.json):
        return json.decode()
    return " ".join(_piece(piece) for piece in result.content or ())


def _piece(piece: ToolContent) -> str:
    if isinstance(piece, ToolText):
        return piece.text
    if isinstance(piece, ToolJson):
        return msgspec.json.encode(piece.value).decode()
    return _binary(piece)


def _binary(piece: ToolBinary) -> str:
    names = (piece.filename, piece.url, piece.id)
    return f"[{' '.join((piece.mime_type, *(name for name in names if name)))}]"
