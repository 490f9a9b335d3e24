"""Secrets in JSON: read as what does not show itself, and stored sealed, as `{"@sealed": "<base64url>"}`.

No header is called so and no key is an object: what came from outside is never taken for what was sealed here.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final

import msgspec

from hosting.domain.secret import Secret

SEALED: Final = "@sealed"
# In a text of somebody's these quotes would have backslashes before them.
_SEALED_VALUE: Final = re.compile(rb'\{"@sealed":"((?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?)"\}')
_BASE64URL: Final = re.compile(r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?")

Seal = Callable[[bytes], bytes]
"""Seals bytes for one place; what it returns opens nothing elsewhere."""
Open = Callable[[bytes], bytes]
"""Undoes that, or raises SealBroken."""


def as_sealed(sealed: bytes) -> dict[str, str]:
    """Return what stands in JSON for something sealed."""
    return {SEALED: urlsafe_b64encode(sealed).rstrip(b"=").decode()}


def sealed_in(value: Any) -> bytes | None:
    """Return what was sealed, of a value out of JSON; None when nothing was."""
    if not isinstance(value, dict) or len(value) != 1 or not isinstance(text := value.get(SEALED), str):
        return None
    if _BASE64URL.fullmatch(text) is None:
        return None
    return _bytes_of(text)


def resealed(text: bytes, anew: Callable[[bytes], bytes]) -> bytes:
    """Return a JSON text with everything that is sealed in it sealed anew; raises what `anew` does."""
    return _SEALED_VALUE.sub(lambda found: msgspec.json.encode(as_sealed(anew(_bytes_of(found[1].decode())))), text)


def read_secret(kind: type, value: Any) -> Secret:
    """Read a secret that somebody says: the hook for what msgspec does not know.

    Raises:
        ValueError: it is no text.
    """
    if kind is not Secret or not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{_kind(value)}`")
    return Secret(value)


def reading(opened: Open) -> Callable[[type, Any], Secret]:
    """Return the hook for what is stored; a secret that was stored before secrets were sealed is a text still."""

    def read(kind: type, value: Any) -> Secret:
        sealed = sealed_in(value)
        return read_secret(kind, value) if sealed is None else Secret(opened(sealed).decode())

    return read


def writing(seal: Seal) -> Callable[[Any], Any]:
    """Return the hook that writes secrets sealed."""
    return lambda value: as_sealed(seal(_text(value).encode()))


def reveal(value: Any) -> str:
    """Write a secret as what it is: the hook for what is compared, and for whom it is meant."""
    return _text(value)


def _bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _kind(value: Any) -> str:
    # As msgspec calls what JSON holds.
    return {"dict": "object", "list": "array", "NoneType": "null"}.get(name := type(value).__name__, name)


def _text(value: Any) -> str:
    if not isinstance(value, Secret):
        raise NotImplementedError(f"Objects of type {type(value).__name__} are not written as JSON.")
    return value.reveal()
