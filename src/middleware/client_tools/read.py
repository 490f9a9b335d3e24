"""Reading `runConfig.clientToolInput`."""

import re
from typing import Final

import msgspec

from events.client_tools import ClientToolInput
from middleware.client_tools.check import check_harnesses
from middleware.client_tools.refusal import ClientToolInputRefused

HARNESSES: Final = "clientToolHarnesses"

_MISFIT: Final = re.compile(r"Expected `(\w+)(?: \| null)?`, got `\w+`")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_WANTED: Final = {"str": "a string", "bool": "true or false", "array": "an array", "object": "an object"}


def read_client_tool_input(raw: bytes) -> ClientToolInput:
    """Read what a client says of its tools, strictly; members that are unknown are ignored.

    Raises:
        ClientToolInputRefused: it has the wrong form, or a harness in it cannot be taken.
    """
    try:
        given = msgspec.json.decode(raw, type=ClientToolInput)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ClientToolInputRefused("", "is not valid JSON") from error
    check_harnesses(given.client_tool_harnesses, HARNESSES)
    return given


def _refusal(said: str) -> ClientToolInputRefused:
    """Return what the decoder said of a value, in words for whoever sent it."""
    what, _, at = said.partition(" - at ")
    # Inside a schema or a state the decoder does not tell which member it means, and writes [...].
    place = at.strip("`").removeprefix("$").removeprefix(".").partition("[...]")[0]
    if missing := _MISSING.fullmatch(what):
        return ClientToolInputRefused(f"{place}.{missing[1]}".removeprefix("."), "is missing")
    if misfit := _MISFIT.fullmatch(what):
        return ClientToolInputRefused(place, f"must be {_WANTED[misfit[1]]}")
    return ClientToolInputRefused(place, f"does not fit: {what[:1].lower()}{what[1:]}")
