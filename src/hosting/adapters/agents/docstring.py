"""What a function's docstring says of it and of its parameters."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

_SECTION: Final = re.compile(r"(Args|Arguments|Parameters|Returns|Yields|Raises|Examples?|Notes?):\s*")
_PARAMETERS: Final = frozenset({"Args", "Arguments", "Parameters"})
_ENTRY: Final = re.compile(r"(\w+)(?:\s*\([^)]*\))?:\s*(.*)")


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring as Google's style has it: words, then sections, of which `Args:` tells of the parameters."""

    description: str | None
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, function: Any) -> Self:
        """Read a function's docstring, or that there is none."""
        lines = (inspect.getdoc(function) or "").splitlines()
        first = next((index for index, line in enumerate(lines) if _SECTION.fullmatch(line)), len(lines))
        return cls("\n".join(lines[:first]).strip() or None, _parameters(lines[first:]))


def _parameters(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    is_within, indent, name = False, "", ""
    for line in lines:
        section = _SECTION.fullmatch(line)
        if section is not None:
            is_within, indent, name = section[1] in _PARAMETERS, "", ""
            continue
        said = line.strip()
        if not is_within or not said:
            continue
        margin = line[: len(line) - len(line.lstrip())]
        indent = indent or margin
        entry = _ENTRY.fullmatch(said) if margin == indent else None
        if entry is not None:
            name, found[entry[1]] = entry[1], entry[2]
        elif name:
            found[name] = f"{found[name]} {said}".strip()
    return found
