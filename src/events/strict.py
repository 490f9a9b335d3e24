"""JSON from strangers: what is refused before a single member is looked at.

BodyRefused
+-- TooDeep       nested deeper than allowed
+-- NoObject      another JSON value
+-- Malformed     not JSON, not UTF-8, or holding text that cannot be stored
"""

import re
from itertools import accumulate
from typing import Any

import msgspec

MAX_DEPTH = 64

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_PIECES = re.compile(rb'(?:[^"]{1,4096}+|"[^"\\]*+(?:\\.[^"\\]*+)*+"?){1,64}+', re.DOTALL)
_AS_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_EVEN = rb"(?<!\\)(?:\\\\)*"
_ESCAPED_NUL = re.compile(_EVEN + rb"\\u0000")
_SURROGATE = re.compile(_EVEN + rb"\\u[dD][89a-fA-F]")
_PAIR = re.compile(_EVEN + rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_UNSTORABLE = re.compile(
    rb"((?<!\\)(?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_OF_A_PAIR = 12
_REPLACED = rb"\ufffd"


class BodyRefused(Exception):
    """The bytes are no acceptable JSON; the sentence says why."""


class TooDeep(BodyRefused):
    """The nesting is deeper than allowed."""

    def __init__(self) -> None:
        super().__init__(f"The JSON is nested deeper than {MAX_DEPTH} levels.")


class Malformed(BodyRefused):
    """The bytes are not JSON that can be stored."""


class NoObject(BodyRefused):
    """The JSON is something else than an object."""

    def __init__(self) -> None:
        super().__init__("The body must be a JSON object - at `$`.")


def members(body: bytes) -> dict[str, msgspec.Raw]:
    """Check untrusted JSON, and return the members of its object undecoded.

    Nothing is built that nobody asks for: 16 MiB of `[],` would be half a gigabyte, and seconds in which nothing else
    runs. Whoever decodes a member finds out whether its numbers are in range.

    Raises:
        TooDeep: more than 64 levels.
        Malformed: no JSON, no UTF-8, a NUL or an unpaired surrogate in text.
        NoObject: the JSON is no object.
    """
    _check(body)
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise NoObject from error
    except msgspec.DecodeError as error:
        raise Malformed(f"The body is not valid JSON: {error}.") from error


def value(text: bytes) -> Any:
    """Check untrusted JSON of any kind, and return it decoded; raises as `members` does, but for NoObject."""
    _check(text)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Malformed(f"This is not valid JSON: {error}.") from error


def mended(body: bytes) -> bytes:
    """Return a body with U+FFFD for what cannot be stored: NUL characters, and halves of surrogate pairs.

    For clients who cannot know better: what their tools print may hold anything, and JSON can say it.
    """
    return _UNSTORABLE.sub(_mend, body) if b"\\u" in body else body


def _mend(found: re.Match[bytes]) -> bytes:
    before, escaped = found.groups()
    return found[0] if len(escaped) == _OF_A_PAIR else before + _REPLACED


def _check(body: bytes) -> None:
    if not body.strip():
        raise Malformed("The body is empty; send a JSON object.")
    if _is_too_deep(body):
        raise TooDeep
    try:
        str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The body is not valid UTF-8.") from error
    if b"\\u" not in body:
        return
    if _ESCAPED_NUL.search(body):
        raise Malformed("The body holds a NUL character, which cannot be stored.")
    if _SURROGATE.search(body) and _SURROGATE.search(_PAIR.sub(b" ", body)):
        raise Malformed("The body holds half a surrogate pair, which is no character.")


def _is_too_deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    # Piece by piece: a large body must not keep the event loop from the interpreter while it is looked at.
    for piece in _PIECES.finditer(body):
        steps = _STRINGS.sub(b"", piece[0]).translate(_AS_STEPS, _NOT_BRACKETS)
        if steps and max(accumulate(memoryview(steps).cast("b"), initial=depth)) > MAX_DEPTH:
            return True
        depth += steps.count(b"\x01") - steps.count(b"\xff")
    return False
