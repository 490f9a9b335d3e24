"""Text that came from elsewhere, as a terminal can be given it."""

import re

from rich.cells import cell_len, chop_cells

# What a terminal would obey instead of showing: C0 without tab and line feed, DEL, C1.
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def tamed(text: str) -> str:
    """Return a text without what would command the terminal."""
    return _COMMANDS.sub("", text)


def exact(text: str) -> str:
    """Return a text with everything invisible spelled out, for what must not be mistaken.

    Beside control characters these are those that turn the direction of writing or take no room: with them the
    arguments of a call could look like others.
    """
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def one_line(text: str) -> str:
    """Return a text as one line: white space and line ends become single spaces."""
    return exact(" ".join(text.split()))


def cut(text: str, cells: int) -> str:
    """Return a text that takes at most so many cells of a terminal, with dots where it was cut."""
    # No more than this can fit, unless most of it takes no room; measuring a megabyte would take a second.
    head = text[: 4 * cells]
    if head == text and cell_len(text) <= cells:
        return text
    room = max(cells - 3, 1)
    return f"{chop_cells(head, room)[0]}..."
