"""Events that tell of a run's way through the fleet."""

from enum import StrEnum
from typing import Any, ClassVar

from events.event import Envelope, Event, Kind, written

_LIFECYCLE = Envelope(kind=Kind.LIFECYCLE)


class ReturnReason(StrEnum):
    """Why a worker does not have the work any more."""

    LEASE_EXPIRED = "lease_expired"
    REFUSED = "refused"
    DEREGISTERED = "deregistered"


class WorkClaimed(Event, frozen=True, kw_only=True):
    """A worker has taken the run."""

    wire_type: ClassVar[str] = "WORK_CLAIMED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    work_item_id: str
    worker_id: str
    attempt: int
    """Which claim of the work this is, from 1."""


class WorkReturned(Event, frozen=True, kw_only=True):
    """A worker has the run no more; it is on offer again, unless too many workers were lost with it."""

    wire_type: ClassVar[str] = "WORK_RETURNED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    work_item_id: str
    worker_id: str
    reason: ReturnReason
    is_given_up: bool = written(value=False)
    """Whether it is not offered again; the run fails."""
    message: str | None = None
    """What the worker said."""


class WorkProgress(Event, frozen=True, kw_only=True):
    """A worker tells how far it is."""

    wire_type: ClassVar[str] = "WORK_PROGRESS"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    work_item_id: str
    message: str
    milestone: str | None = None


class InterviewCompleted(Event, frozen=True, kw_only=True):
    """An interview is over, since its agent or somebody else has said so; nothing more is asked in it."""

    wire_type: ClassVar[str] = "INTERVIEW_COMPLETED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    work_item_id: str


class WorkActivity(Event, frozen=True, kw_only=True):
    """A worker tells what it does, thinks or answers."""

    wire_type: ClassVar[str] = "WORK_ACTIVITY"
    envelope: ClassVar[Envelope] = Envelope(kind=Kind.DIAGNOSTIC)

    work_item_id: str
    activity_type: str
    content: str
    details: dict[str, Any] | None = None
    """What else the worker said of it."""
