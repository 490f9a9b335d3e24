"""Bytes as a URI (RFC 2397), which is how a message brings a file along."""

import re
from base64 import b64decode
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final, Self

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")
_DIGITS: Final = (ascii_letters + digits + "+/").encode()
_LONGEST_HEAD: Final = 512


def is_media_type(text: str) -> bool:
    """Say whether this is a type and a subtype without parameters (RFC 6838, section 4.2)."""
    return _MEDIA_TYPE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class DataUri:
    """A data: URI: its media type in small letters and without parameters, and its bytes as base64."""

    media_type: str
    base64: str

    @classmethod
    def read(cls, uri: str) -> Self:
        """Take a URI apart.

        Raises:
            ValueError: it is no data: URI with a media type and with bytes in base64; the words say what is wrong.
        """
        head, comma, base64 = uri.partition(",")
        scheme, _, said = head.partition(":")
        if not comma or scheme.lower() != "data" or len(head) > _LONGEST_HEAD:
            raise ValueError("must be a data: URI, such as `data:image/png;base64,...`")
        media_type, *parameters = said.split(";")
        if not is_media_type(media_type):
            raise ValueError("must name the media type after `data:`, such as `image/png`")
        if not parameters or parameters[-1].lower() != "base64":
            raise ValueError("must have its bytes in base64, after `;base64,`")
        if not base64:
            raise ValueError("must not be empty")
        if not _is_base64(base64):
            raise ValueError("must have its bytes in base64 (RFC 4648, section 4) with padding")
        return cls(media_type.lower(), base64)

    def decoded(self) -> bytes:
        """Return the bytes."""
        return b64decode(self.base64)


def _is_base64(text: str) -> bool:
    # What is left without the digits is the padding: nothing is decoded only to see whether it can be.
    if not text.isascii() or len(text) % 4:
        return False
    padding = text.encode().translate(None, _DIGITS)
    return padding in {b"", b"=", b"=="} and text.endswith(padding.decode())
