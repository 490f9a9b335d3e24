"""A place in a branch's log."""

import re
from typing import NamedTuple, Self

_FORM = re.compile(r"([0-9a-f]{12})\.(0|[1-9][0-9]{0,17})")
_LONGEST = 12 + 1 + 18


class Position(NamedTuple):
    """A place in a branch's log, written `epoch.seq`.

    `seq` counts the branch's events from 1; `epoch.0` is the place before the first.
    """

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `3f9a1c07b2de.42`; None when the text has another form."""
        match = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
        return cls(match[1], int(match[2])) if match else None

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"
