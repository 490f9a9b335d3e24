"""The inputs that wait for a branch to become free."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from events.event import Envelope, Event, Kind
from events.ids import MessageId, RunId


class QueueAction(StrEnum):
    """What happened to the run that the event names."""

    ENQUEUED = "enqueued"
    PROMOTED = "promoted"
    DEQUEUED = "dequeued"
    REMOVED = "removed"


class QueueItem(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A run that waits; `queuedPosition` counts from 1."""

    runtime_run_id: RunId
    message_id: MessageId
    text: str
    """The beginning of what the user said, at most 200 characters."""
    queued_at: datetime
    queued_position: int


class BranchQueueUpdated(Event, frozen=True, kw_only=True):
    """The queue has changed; `items` is what it is now."""

    wire_type: ClassVar[str] = "BRANCH_QUEUE_UPDATED"
    envelope: ClassVar[Envelope] = Envelope(kind=Kind.LIFECYCLE)

    action: QueueAction
    runtime_run_id: RunId
    items: tuple[QueueItem, ...]
