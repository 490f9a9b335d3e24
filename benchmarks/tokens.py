"""Token events as they really are: encoded, numbered and framed by the project's own code."""

from collections.abc import Sequence

from events import sse
from events.catalog import Catalog
from events.ids import BranchId, MessageId, SessionId
from events.position import Position
from events.serializer import Encoded, Serializer, Stamp, number
from events.text import TextDelta
from hosting.ports.clock import system_clock

BARE_EPOCH = "0123456789ab"
"""The epoch that servers without a store count under."""

MESSAGE_ID = MessageId("msg_5f2b8c0e9d614a7fb3c1d2e4f5061728")
_SESSION_ID = SessionId("ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9")
_BRANCH_ID = BranchId("main")


def token_lines(first: Position, count: int) -> list[bytes]:
    """Return so many TEXT_DELTA events as the log has them."""
    return number([_encoded()] * count, first)


def token_frames(first: Position, count: int) -> list[bytes]:
    """Return the same as they go over the wire."""
    return sse.frames(first, token_lines(first, count))


def bursts(items: Sequence[bytes], size: int) -> list[Sequence[bytes]]:
    """Cut a sequence into pieces of one size."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def _encoded() -> Encoded:
    stamp = Stamp(_SESSION_ID, _BRANCH_ID).at(system_clock())
    return Serializer(Catalog.standard()).encode(TextDelta(text="token ", message_id=MESSAGE_ID), stamp)
