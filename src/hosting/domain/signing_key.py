"""Keys that the tokens of workers are signed with."""

from dataclasses import dataclass
from typing import Final

from hosting.domain.secret import Secret

SECRET_BYTES: Final = 32
"""The least that signs: as much as what the signature is made of (RFC 7518, section 3.2)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret, SECRET_BYTES of chance at least in hexadecimal, and the id by which a token names it."""

    id: str
    secret: Secret

    @classmethod
    def of(cls, key_id: str, chance: bytes) -> "SigningKey":
        """Make a key of chance."""
        return cls(key_id, Secret(chance.hex()))

    def reveal(self) -> bytes:
        """Return the secret as what signs."""
        return bytes.fromhex(self.secret.reveal())
