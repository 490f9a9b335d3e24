"""Message contents as the tables hold them: JSON as on the wire."""

import msgspec

from events.branches import Content

_decode = msgspec.json.Decoder(tuple[Content, ...]).decode


def encode_contents(contents: tuple[Content, ...]) -> bytes:
    """Encode a message's contents."""
    return msgspec.json.encode(contents)


def decode_contents(data: bytes) -> tuple[Content, ...]:
    """Undo `encode_contents`."""
    return _decode(data)
