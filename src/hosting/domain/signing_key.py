"""Keys that the tokens of workers are signed with."""

from dataclasses import dataclass, field
from typing import Final

SECRET_BYTES: Final = 32
"""The least that signs: as much as what the signature is made of (RFC 7518, section 3.2)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret, and the id by which a token names it."""

    id: str
    secret: bytes = field(repr=False)
