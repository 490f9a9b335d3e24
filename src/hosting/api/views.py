"""What the routes answer with: bodies in camelCase, nulls left out."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from events.queue import QueueItem
from events.runs import RunStatus
from hosting.domain.run import Run
from hosting.domain.session import Session
from hosting.runtime.interrupt import Interrupting
from hosting.runtime.submit import Submitted


class SessionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session."""

    id: SessionId
    created_at: datetime
    last_activity: datetime
    metadata: dict[str, Any]

    @classmethod
    def of(cls, session: Session) -> "SessionView":
        """Show a session."""
        return cls(
            id=session.id,
            created_at=session.created_at,
            last_activity=session.last_activity,
            metadata=dict(session.metadata),
        )


class RunErrorView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Why a run failed."""

    type: str | None = None
    message: str | None = None


class RunView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A run of a branch."""

    runtime_run_id: RunId
    agent_id: AgentId
    session_id: SessionId
    branch_id: BranchId
    status: RunStatus
    agent_version: int | None = None
    """Of the agent's definition; only when that is a stored one."""
    queued_at: datetime | None = None
    """Only for a run that has waited in the queue."""
    started_at: datetime | None = None
    """Only once it has left the queue."""
    completed_at: datetime | None = None
    error: RunErrorView | None = None
    rating: float | None = None
    """From 0 to 1, as a client has rated it."""

    @classmethod
    def of(cls, run: Run) -> "RunView":
        """Show a run."""
        return cls(
            runtime_run_id=run.id,
            agent_id=run.agent_id,
            session_id=run.scope.session_id,
            branch_id=run.scope.branch_id,
            status=run.status,
            agent_version=run.agent_version,
            queued_at=run.queued_at,
            started_at=run.started_at,
            completed_at=run.completed_at,
            error=RunErrorView(type=run.error_type, message=run.error_message) if run.error_type else None,
            rating=run.rating,
        )


class SubmittedView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An accepted input; `events/live?after=<position>` shows everything about it."""

    runtime_run_id: RunId
    message_id: MessageId
    status: RunStatus
    position: str
    queued_position: int | None = None
    """Its place in the queue, from 1; only when it waits."""

    @classmethod
    def of(cls, submitted: Submitted) -> "SubmittedView":
        """Show an accepted input."""
        return cls(
            runtime_run_id=submitted.run_id,
            message_id=submitted.message_id,
            status=submitted.status,
            position=str(submitted.position),
            queued_position=submitted.queued_position,
        )


class InterruptingView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An accepted interrupt; `events/live?after=<position>` shows what comes of it."""

    runtime_run_id: RunId
    status: RunStatus
    position: str

    @classmethod
    def of(cls, interrupting: Interrupting) -> "InterruptingView":
        """Show an accepted interrupt."""
        return cls(runtime_run_id=interrupting.run_id, status=interrupting.status, position=str(interrupting.position))


class QueueView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The inputs that wait for a branch, the next one first."""

    items: tuple[QueueItem, ...]
