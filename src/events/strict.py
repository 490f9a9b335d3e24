"""JSON from strangers: what is refused before a single member is looked at.

BodyRefused
+-- TooDeep       nested deeper than allowed
+-- Malformed     not JSON, not UTF-8, or holding text or numbers that cannot be stored
"""

import re
from typing import Any

import msgspec

MAX_DEPTH = 64

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_AS_BRACES = bytes.maketrans(b"[]", b"{}")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BodyRefused(Exception):
    """The bytes are no acceptable JSON; the sentence says why."""


class TooDeep(BodyRefused):
    """The nesting is deeper than allowed."""

    def __init__(self) -> None:
        super().__init__(f"The JSON is nested deeper than {MAX_DEPTH} levels.")


class Malformed(BodyRefused):
    """The bytes are not JSON that can be stored."""


def loads(body: bytes) -> Any:
    """Decode untrusted JSON.

    Raises:
        TooDeep: more than 64 levels.
        Malformed: no JSON, no UTF-8, a NUL or an unpaired surrogate in text, a number out of range.
    """
    if _is_too_deep(body):
        raise TooDeep
    try:
        value = msgspec.json.decode(body)
    except UnicodeDecodeError as error:
        raise Malformed("The body is not valid UTF-8.") from error
    except msgspec.ValidationError as error:
        raise Malformed(f"The body holds a number that is out of range: {error}.") from error
    except msgspec.DecodeError as error:
        raise Malformed(f"The body is not valid JSON: {error}.") from error
    if _ESCAPED_NUL.search(body):
        raise Malformed("The body holds a NUL character, which cannot be stored.")
    return value


def _is_too_deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRINGS.sub(b"", body).translate(_AS_BRACES, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        # Each pass takes away the innermost level only, so the number of passes is the depth.
        brackets = brackets.replace(b"{}", b"")
        if not brackets:
            return False
    # What is left is deeper still, or was never closed and is for the decoder to name.
    return b"{}" in brackets or brackets.count(b"{") > MAX_DEPTH
