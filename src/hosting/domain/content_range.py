"""The part of a content that somebody asks for (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from typing import Final

_ONE: Final = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE | re.ASCII)


class RangeUnsatisfiable(Exception):
    """Nothing of the content is in the range."""


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The bytes from `first` up to `last`, that one included."""

    first: int
    last: int

    @property
    def size_bytes(self) -> int:
        """How many bytes these are."""
        return self.last - self.first + 1

    @classmethod
    def read(cls, header: str, size_bytes: int) -> "ContentRange | None":
        """Read the header Range about so many bytes; None when it is to be passed over, as several ranges are.

        Raises:
            RangeUnsatisfiable: none of the bytes is in it.
        """
        match = _ONE.fullmatch(header)
        if match is None:
            return None
        first, last, suffix = match.groups()
        if suffix is not None:
            begin, end = max(0, size_bytes - int(suffix)), size_bytes - 1
        else:
            begin, end = int(first), min(int(last or size_bytes), size_bytes - 1)
            if last and int(last) < begin:
                return None
        if begin > end:
            raise RangeUnsatisfiable
        return cls(begin, end)
