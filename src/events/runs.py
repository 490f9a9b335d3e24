"""Events that frame a run."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from events.event import Envelope, Event, Kind, written
from events.ids import AgentId, MessageId, RunId

_LIFECYCLE = Envelope(kind=Kind.LIFECYCLE)


class RunStatus(StrEnum):
    """The state of a run as clients see it."""

    QUEUED = "queued"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class BranchRunStarted(Event, frozen=True, kw_only=True):
    """A run was accepted and holds the branch."""

    wire_type: ClassVar[str] = "BRANCH_RUN_STARTED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    runtime_run_id: RunId
    agent_id: AgentId
    started_at: datetime
    message_id: MessageId
    """The user's message that started the run, the last one when there are several."""


class BranchRunCompleted(Event, frozen=True, kw_only=True):
    """A run reached its one terminal state; the last event of the run."""

    wire_type: ClassVar[str] = "BRANCH_RUN_COMPLETED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    runtime_run_id: RunId
    agent_id: AgentId
    status: RunStatus
    cancelled: bool = written(value=False)
    """Whether somebody asked for the end."""
    completed_at: datetime
    error_type: str | None = None
    """What failed, in a word for programs; only when `status` is `failed`."""
    error_message: str | None = None
    """The same sentence as in MESSAGE_TURN_ERROR."""
    reason: str | None = None
    """Why somebody asked for the end."""
