"""Configs as JSON text, read so that whoever wrote one learns which member is wrong."""

import re
from typing import Any, Final, TypeVar

import msgspec

from hosting.domain.errors import ConfigRefused
from hosting.domain.pointer import pointer_to
from hosting.domain.sealed import read_secret
from hosting.domain.sentences import parted, plain_words

S = TypeVar("S", bound=msgspec.Struct)

_LONGEST_ECHO: Final = 100
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_LENGTH: Final = re.compile(r"Expected `(str|array)` of length (>=|<=) (\d+)")
_RANGE: Final = re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) ([\d.]+)")
_BOUND: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def read_config(text: bytes, cls: type[S]) -> S:
    """Read a config whose every member must be known.

    Raises:
        ConfigRefused: it is none; the pointer begins at the config.
    """
    try:
        return msgspec.json.decode(text, type=cls, dec_hook=read_secret)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from error
    except msgspec.DecodeError as error:
        raise ConfigRefused("", f"This is no JSON: {error}") from error


def convert_config(value: Any, cls: type[S]) -> S:
    """Do the same with a value that was read already."""
    try:
        return msgspec.convert(value, cls, dec_hook=read_secret)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from error


def _refused(said: str) -> ConfigRefused:
    what, path = parted(said)
    if unknown := _UNKNOWN.fullmatch(what):
        name = unknown[1][:_LONGEST_ECHO]
        return ConfigRefused(pointer_to(path, name), f"There is no member {name!r}")
    if missing := _MISSING.fullmatch(what):
        return ConfigRefused(pointer_to(path, missing[1]), f"`{missing[1]}` is missing")
    return ConfigRefused(pointer_to(path), _in_words(what, path))


def _in_words(what: str, path: str) -> str:
    if length := _LENGTH.fullmatch(what):
        if length.groups()[1:] == (">=", "1"):
            return "This must not be empty"
        of = "characters" if length[1] == "str" else "elements"
        return f"This must have {_BOUND[length[2]]} {length[3]} {of}"
    if bound := _RANGE.fullmatch(what):
        return f"This must be {_BOUND[bound[1]]} {bound[2]}"
    return plain_words(what, path)
