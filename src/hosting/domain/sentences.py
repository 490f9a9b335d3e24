"""What the decoder says of a value that does not fit, in words for whoever sent it."""

import re
from typing import Final

_LONGEST_ECHO: Final = 100
_LONGEST_COMPLAINT: Final = 119
_WANTED: Final = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
}
_GIVEN: Final = {**_WANTED, "int": "a number", "float": "a number", "null": "null"}

_MISFIT: Final = re.compile(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_NO_CHOICE: Final = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)


def plain_sentence(said: str) -> str:
    """Return a plain sentence with the pointer, and with at most 100 characters of what the client sent.

    What it does not understand stays as the decoder said it.
    """
    what, path = parted(said)
    return f"{plain_words(what, path)} - at `{path}`."


def parted(said: str) -> tuple[str, str]:
    """Return what the decoder complains of, and the path to where it is: `$`, or below it `$.tools[0]`."""
    what, at, place = said.rpartition(" - at ")
    return (what, place.strip("`")) if at else (said, "$")


def plain_words(what: str, path: str) -> str:
    """Return a complaint in plain words, without a full stop."""
    return _plain(what, path) or _cut(what, _LONGEST_COMPLAINT)


def _plain(what: str, pointer: str) -> str:
    """Return the sentence without its pointer; nothing when what was said is not understood."""
    name = f"`{pointer.removeprefix('$.')}`" if pointer != "$" else "The body"
    if missing := _MISSING.fullmatch(what):
        return f"`{pointer}.{missing[1]}` is missing".replace("`$.", "`", 1)
    if no_choice := _NO_CHOICE.fullmatch(what):
        return f"{name} cannot be '{_cut(no_choice[1], _LONGEST_ECHO)}'"
    misfit = _MISFIT.fullmatch(what)
    if misfit is None or misfit[1] not in _WANTED or misfit[2] not in _GIVEN:
        return ""
    wanted, given = misfit.groups()
    # 1.5 is a number too: "must be a whole number, not a number" would help nobody.
    instead = "" if (wanted, given) == ("int", "float") else f", not {_GIVEN[given]}"
    return f"{name} must be {_WANTED[wanted]}{instead}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
