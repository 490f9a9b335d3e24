"""What workers say of themselves, in all the ways in which they say it."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from msgspec import UNSET, Meta, Raw, UnsetType

from hosting.api.problems import ApiError
from hosting.domain.api_key import is_key
from hosting.domain.errors import InvalidRequest

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Names = Annotated[tuple[Name, ...], Meta(max_length=200)]
Mixed = Annotated[list[Any], Meta(max_length=200)]
"""A list of names and of what else some workers put into it."""
Capacity = Annotated[int, Meta(ge=1, le=10_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Status = Annotated[str, Meta(max_length=64)]

ALL_ROUTED: Final = "all-routed"
"""The projectAdmissionMode of a worker that takes the work of all projects, whichever it names."""

_SECRETS: Final = ("registrationToken",)
_LONGEST_NAME: Final = 255
_MOST_KEPT: Final = 64 << 10
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_MASKED: Final = b'"***"'


def texts(said: Sequence[object] | None) -> tuple[str, ...]:
    """Return the texts of a list; some workers put more into it than others know.

    Raises:
        InvalidRequest: one of them is too long to be a name.
    """
    found = tuple(each for each in said or () if isinstance(each, str))
    if any(len(each) > _LONGEST_NAME for each in found):
        raise InvalidRequest(f"A capability has at most {_LONGEST_NAME} characters - at `$.capabilities`.")
    return found


def kept(body: bytes, shown: str | None = None) -> bytes:
    """Return a body as it is kept: each member as it came, with `***` for keys, and for what the request has shown.

    Raises:
        ApiError: it is larger than what is kept.
    """
    members = msgspec.json.decode(body or b"{}", type=dict[str, Raw])
    found = msgspec.json.encode({name: value for name, value in members.items() if name not in _SECRETS})
    masked = _STRING.sub(lambda each: _MASKED if _is_secret(each[0], shown) else each[0], found)
    if len(masked) > _MOST_KEPT:
        raise ApiError("payload-too-large", f"What a worker says of itself has at most {_MOST_KEPT} bytes.")
    return masked


def bearer_of(request: Request[Any, Any, Any]) -> str | None:
    """Return what a request has shown, if anything."""
    return request.headers.get("authorization", "").removeprefix("Bearer ") or None


def _is_secret(string: bytes, shown: str | None) -> bool:
    text = msgspec.json.decode(string, type=str)
    return text == shown or any(word == shown or is_key(word) for word in text.split())


def echoed(said: Raw) -> Any | UnsetType:
    """Return what is to be answered as it was said, byte for byte, if it was said."""
    return said if bytes(said) else UNSET
