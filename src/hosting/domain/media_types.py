"""Which types of files are taken."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_WORD: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,127}"
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_PARAMETER: Final = rf'[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|"[\x20\x21\x23-\x5b\x5d-\x7e]{{0,127}}")'
_CONTENT_TYPE: Final = re.compile(rf"({_NAME}/{_NAME})((?:{_PARAMETER}){{0,4}})[ \t]*")
_PATTERN: Final = re.compile(rf"{_NAME}/(?:\*|{_NAME})")

UNSAID: Final = "application/octet-stream"
"""What a file is that says nothing of itself (RFC 7578, section 4.4, says text; clients mean bytes)."""


def content_type_of(header: str) -> str | None:
    """Return a type with its parameters as it is stored, type and subtype in small letters; None when it is none."""
    match = _CONTENT_TYPE.fullmatch(header)
    return None if match is None else match[1].lower() + match[2].strip()


@dataclass(frozen=True, slots=True)
class MediaTypes:
    """Types by their patterns, such as `image/*` and `application/pdf`; no pattern at all is all types."""

    patterns: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "MediaTypes":
        """Read patterns.

        Raises:
            ValueError: one is no type with a subtype or `*`.
        """
        for text in (texts := list(texts)):
            if not _PATTERN.fullmatch(text):
                raise ValueError(f"{text!r:.100} is no media type such as image/png or image/*")
        return cls(frozenset(text.lower() for text in texts))

    def takes(self, content_type: str) -> bool:
        """Say whether a file of this type is taken."""
        media_type = content_type.partition(";")[0].strip()
        kind = media_type.partition("/")[0]
        return not self.patterns or media_type in self.patterns or f"{kind}/*" in self.patterns
