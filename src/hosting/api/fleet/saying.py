"""What workers say of themselves, in all the ways in which they say it."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Names = Annotated[tuple[Name, ...], Meta(max_length=1000)]
Capacity = Annotated[int, Meta(ge=1, le=10_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Status = Annotated[str, Meta(max_length=64)]

ALL_ROUTED: Final = "all-routed"
"""The projectAdmissionMode of a worker that takes the work of all projects, whichever it names."""

_SECRETS: Final = ("registrationToken",)


def texts(said: object) -> tuple[str, ...]:
    """Return the texts of a list; some workers put more into it than others know."""
    return tuple(each for each in said if isinstance(each, str)) if isinstance(said, Iterable) else ()


def kept(body: bytes) -> bytes:
    """Return a body as it is kept: each member as it came, but no secrets."""
    members = msgspec.json.decode(body or b"{}", type=dict[str, Raw])
    return msgspec.json.encode({name: value for name, value in members.items() if name not in _SECRETS})


def echoed(said: Raw) -> Any | UnsetType:
    """Return what is to be answered as it was said, byte for byte, if it was said."""
    return said if bytes(said) else UNSET
