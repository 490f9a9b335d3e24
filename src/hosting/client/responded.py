"""What a server says of an answer that it took."""

from msgspec import Struct


class Responded(Struct, frozen=True, kw_only=True, rename="camel"):
    """An answer that counts and is stored; following from `position` shows it and what comes of it."""

    request_id: str
    outcome: str
    position: str
