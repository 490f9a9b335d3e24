"""Frames that belong to one connection and are never in the log."""

from enum import StrEnum
from typing import ClassVar

from events.event import Channel, Envelope, Event, Kind

_CONTROL = Envelope(channel=Channel.CONTROL, kind=Kind.CONTROL)


class ResetReason(StrEnum):
    """Why a position could not be followed from."""

    MALFORMED = "malformed"
    FOREIGN = "foreign"
    FUTURE = "future"
    TRIMMED = "trimmed"


class CloseReason(StrEnum):
    """Why a stream ends."""

    DRAIN = "drain"
    SLOW = "slow"
    ERROR = "error"
    EXPIRED = "expired"
    DELETED = "deleted"


class StreamReset(Event, frozen=True, kw_only=True):
    """The position asked for cannot be followed from; the stream goes on live from `latest`."""

    wire_type: ClassVar[str] = "STREAM_RESET"
    envelope: ClassVar[Envelope] = _CONTROL

    reason: ResetReason
    requested: str
    """What was asked for, its first 100 characters."""
    earliest: str
    """The position to read everything from."""
    latest: str
    """The position that the stream goes on from."""


class StreamClosing(Event, frozen=True, kw_only=True):
    """The last frame of a stream; the client may come back after `retryMs` milliseconds, without it not at all."""

    wire_type: ClassVar[str] = "STREAM_CLOSING"
    envelope: ClassVar[Envelope] = _CONTROL

    reason: CloseReason
    retry_ms: int | None = None
