"""Names of tools from elsewhere, as every provider of models takes them."""

import hashlib
import re
from typing import Final

_LONGEST: Final = 64
_DIGITS: Final = 8
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")


def tool_name(toolset: str, name: str) -> str:
    """Return the name that a model calls a toolset's tool by: the toolset's name, then the tool's.

    Always both, whatever else there is: what a user allows for ever is remembered by this name, so that it must not
    depend on which other servers happen to be there.
    """
    full = f"{toolset}_{name}"
    fit = _UNFIT.sub("_", full)
    if len(fit) <= _LONGEST:
        return fit
    digest = hashlib.sha256(full.encode(errors="replace")).hexdigest()[:_DIGITS]
    return f"{fit[: _LONGEST - _DIGITS - 1]}_{digest}"
