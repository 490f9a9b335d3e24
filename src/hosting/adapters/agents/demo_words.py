"""How the demo agent speaks and is spoken to."""

import re

from hosting.ports.agents import Reply


async def speak(reply: Reply, text: str) -> None:
    """Say a text in many pieces."""
    for piece in pieces(text):
        await reply.text(piece)


def pieces(text: str) -> list[str]:
    """Cut a text before each word."""
    return re.findall(r"\s*\S+", text) or [text]


def number(arguments: list[str], index: int, *, default: int, most: int) -> int | None:
    """Return one of a command's arguments; None when it is no number up to `most`."""
    if index >= len(arguments):
        return default
    given = arguments[index]
    is_number = given.isascii() and given.isdigit() and len(given) < 12
    return int(given) if is_number and int(given) <= most else None
