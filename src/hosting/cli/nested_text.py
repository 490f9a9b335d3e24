"""What agents inside of a run say, a line at a time."""

from dataclasses import dataclass
from typing import Final

from hosting.cli.legible import tamed
from hosting.cli.nesting import Nesting

_LONGEST_PENDING: Final = 4_000


@dataclass(slots=True)
class _Saying:
    verb: str
    pending: str = ""


class NestedText:
    """Collects the pieces of nested messages into lines, since several agents may speak at the same time."""

    def __init__(self) -> None:
        self._sayings: dict[str, _Saying] = {}

    def add(self, nesting: Nesting, message_id: str, piece: str, *, verb: str = "") -> list[str]:
        """Take a piece of a message and return the lines that are whole now."""
        saying = self._sayings.get(message_id)
        if saying is None or saying.verb != verb:
            # Reasoning that turned into text ends here; both have the same message.
            before = self.end(nesting, message_id)
            saying = self._sayings[message_id] = _Saying(verb)
        else:
            before = []
        *whole, saying.pending = (saying.pending + piece).split("\n")
        if len(saying.pending) > _LONGEST_PENDING:
            whole, saying.pending = [*whole, saying.pending], ""
        return before + [_line(nesting, saying, line) for line in whole]

    def end(self, nesting: Nesting, message_id: str) -> list[str]:
        """Return what is left of a message."""
        saying = self._sayings.pop(message_id, None)
        return [_line(nesting, saying, saying.pending)] if saying is not None and saying.pending else []


def _line(nesting: Nesting, saying: _Saying, line: str) -> str:
    return f"{nesting.margin}{nesting.agent}{saying.verb}: {tamed(line)}".rstrip()
