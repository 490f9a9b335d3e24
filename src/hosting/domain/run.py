"""A run: one execution on a branch, from an accepted input to one terminal state."""

from dataclasses import dataclass
from datetime import datetime

from events.ids import AgentId, MessageId, RunId
from events.runs import RunStatus
from hosting.domain.scope import BranchKey, BranchScope


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored; `input` is a JSON array of message ids, `config` the runConfig it was accepted with.

    `agent_version` is that of the agent's definition when it was accepted; None for agents that have no stored one.
    `work_item` is the id of the item that it is in the fleet, when its agent's runs are for workers.
    `rating` is a client's, from 0 to 1.
    `started_at` is None while the run waits in its branch's queue, and when it was removed from there.
    """

    id: RunId
    branch_key: BranchKey
    scope: BranchScope
    agent_id: AgentId
    message_id: MessageId
    status: RunStatus
    started_at: datetime | None
    input: bytes
    config: bytes
    completed_at: datetime | None = None
    error_type: str | None = None
    error_message: str | None = None
    turn_id: str | None = None
    trace_id: str | None = None
    queued_at: datetime | None = None
    agent_version: int | None = None
    work_item: str | None = None
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends."""

    status: RunStatus
    error_type: str | None = None
    error_message: str | None = None
    reason: str | None = None
    is_retryable: bool = False
    termination: str | None = None
    """Why the turn ended before the agent wanted it to."""
    category: str | None = None
    """What went wrong with a model."""

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for the end."""
        return self.status is RunStatus.CANCELLED


COMPLETED = Ending(RunStatus.COMPLETED)
