"""Where in a JSON document something is: pointers (RFC 6901), and the same for people."""

import re
from typing import Final

_STEP: Final = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


def pointer_to(path: str, *names: str) -> str:
    """Return the pointer for a decoder's path such as `$.tools[0].name`, and from there to names.

    It ends where the decoder does not say more, as at a member that may have any name.
    """
    pointer, at = "", 1
    while step := _STEP.match(path, at):
        pointer += f"/{step[1] or step[2]}"
        at = step.end()
    return pointer + "".join(f"/{_escaped(name)}" for name in names)


def dotted(pointer: str) -> str:
    """Return a pointer as people write it: `tools[0].name` for `/tools/0/name`."""
    text = ""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        text += f"[{name}]" if name.isdecimal() else f".{name}"
    return text.removeprefix(".")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
