"""Token events as they really are: encoded, numbered and framed by the project's own code."""

import time
from collections.abc import Sequence
from typing import Final

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
END: Final = b' end"'
"""How the last event of those that say when they were published ends its text."""

_SESSION_ID = SessionId("ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9")
_BRANCH_ID = BranchId("main")
SERIALIZER: Final = Serializer(Catalog.standard())
STAMP: Final = Stamp(_SESSION_ID, _BRANCH_ID)


def token_lines(first: Position, count: int) -> list[bytes]:
    """Return so many TEXT_DELTA events as the log has them."""
    return number([_encoded()] * count, first)


def token_frames(first: Position, count: int) -> list[bytes]:
    """Return the same as they go over the wire."""
    return sse.frames(first, token_lines(first, count))


def timed_lines(first: Position, count: int, *, ends: bool = False) -> list[bytes]:
    """Return so many TEXT_DELTA events that say when they were made; with `ends` the last one ends with `END`."""
    now = time.monotonic_ns()
    texts = [f"{now} tok"] * count
    if ends:
        texts[-1] = f"{now} end"
    return number([_encoded(text) for text in texts], first)


def bursts(items: Sequence[bytes], size: int) -> list[Sequence[bytes]]:
    """Cut a sequence into pieces of one size."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def _encoded(text: str = "token ") -> Encoded:
    return SERIALIZER.encode(TextDelta(text=text, message_id=MESSAGE_ID), STAMP.at(system_clock()))
