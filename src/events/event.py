"""What every event has in common: the envelope (docs/reference/events.md)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct, field

from events.ids import BranchId, SessionId


class Channel(StrEnum):
    """How urgently an event travels."""

    SYNCHRONOUS = "synchronous"
    STREAMING = "streaming"
    INTERACTIVE = "interactive"
    CONTROL = "control"


class Kind(StrEnum):
    """What an event is about."""

    CONTENT = "content"
    LIFECYCLE = "lifecycle"
    CONTROL = "control"
    DIAGNOSTIC = "diagnostic"


class Direction(StrEnum):
    """Downstream comes from the run, upstream goes to it."""

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The common members that are the same for all events of a class; written only where they differ from these."""

    channel: Channel = Channel.SYNCHRONOUS
    kind: Kind = Kind.CONTENT
    direction: Direction = Direction.DOWNSTREAM
    can_interrupt: bool = True


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """Something that happened on a branch.

    The first five members are the log's to give: whatever an emitter puts there is replaced when the event is written.
    """

    wire_type: ClassVar[str] = ""
    envelope: ClassVar[Envelope] = Envelope()

    event_id: str | None = None
    sequence_number: int | None = None
    timestamp: datetime | None = None
    session_id: SessionId | None = None
    branch_id: BranchId | None = None

    metadata: dict[str, Any] | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    event_flow_id: str | None = None


def written(*, value: bool | int) -> Any:
    """Default a payload member to `value` and still write it: booleans and numbers are never left out."""
    return field(default_factory=lambda: value)
