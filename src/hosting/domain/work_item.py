"""A work item: a run that is offered to the fleet, and what its worker has said of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NewType

import msgspec
from msgspec import Struct

from events.ids import AgentId, RunId
from hosting.domain.scope import BranchKey, BranchScope, TenantId

WorkItemId = NewType("WorkItemId", str)
WorkerId = NewType("WorkerId", str)

DEFAULT_PRIORITY: Final = 3
MOST_URGENT: Final = 1
LEAST_URGENT: Final = 9


class WorkState(StrEnum):
    """Where a work item stands; one that is `waiting` is not offered yet, since its run waits in its branch's queue."""

    WAITING = "waiting"
    PENDING = "pending"
    CLAIMED = "claimed"
    RUNNING = "running"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    DEAD = "dead"

    @property
    def is_held(self) -> bool:
        """Whether a worker has it."""
        return self in HELD

    @property
    def is_ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self in ENDED


HELD: Final = (WorkState.CLAIMED, WorkState.RUNNING, WorkState.FINALIZING)
ENDED: Final = (WorkState.COMPLETED, WorkState.FAILED, WorkState.STOPPED, WorkState.DEAD)


class FurtherInputs(StrEnum):
    """What becomes of an input that would wait while a worker has the run before it."""

    QUEUE = "queue"
    INJECT = "inject"


class WorkTerms(Struct, frozen=True, kw_only=True):
    """What an agent's definition says of the work that its runs are.

    `provider` is the one that it names, if it leaves no choice. That and `further_inputs` are not kept with an item.
    """

    work_type: str | None = None
    project: str | None = None
    priority: int = DEFAULT_PRIORITY
    further_inputs: FurtherInputs = FurtherInputs.QUEUE
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A run as it is put on offer; `agent_name` is what its agent is called, which need not be its id."""

    id: WorkItemId
    terms: WorkTerms
    agent_name: str


class WorkReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What workers have said of an item so far; each report replaces what it names."""

    provider_session_id: str | None = None
    worktree_path: str | None = None
    error: str | None = None
    total_cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    last_tool_name: str | None = None
    last_tool_called_at: datetime | None = None
    tool_call_count: int | None = None
    external_urls: tuple[dict[str, str], ...] | None = None
    is_interview_over: bool = False

    def merged(self, newer: "WorkReport") -> "WorkReport":
        """Return this report with what a newer one says; an empty text says nothing, nor does what is not so."""
        told = {name: getattr(newer, name) for name in self.__struct_fields__}
        said = {name: value for name, value in told.items() if value is not None and value != "" and value is not False}
        return msgspec.structs.replace(self, **said)


NO_REPORT: Final = WorkReport()


@dataclass(frozen=True, slots=True)
class WorkItem:
    """An item as stored; on the fleet's wire its id is the `sessionId`.

    `claim` counts the claims that were made of it, `attempts` those that were lost with their workers.
    """

    id: WorkItemId
    run_id: RunId
    branch_key: BranchKey
    scope: BranchScope
    agent_id: AgentId
    agent_name: str
    terms: WorkTerms
    state: WorkState
    queued_at: datetime
    updated_at: datetime
    worker_id: WorkerId | None = None
    claim: int = 0
    attempts: int = 0
    claimed_at: datetime | None = None
    report: WorkReport = NO_REPORT
    refused_by: WorkerId | None = None
    """Who gave it back last, if nobody has lost it since."""
    continues: str | None = None
    """The provider's session of the item before it, on this branch and of this agent; known where it is claimed."""
    fence: int = 0
    """The fence of its worker's lease; 0 while nobody has it."""

    @property
    def issue_id(self) -> str:
        """What the fleet calls the issue: the branch, on which one item is worked on at a time."""
        return f"{self.scope.session_id}.{self.scope.branch_id}"


@dataclass(frozen=True, slots=True)
class Holding:
    """An item in the hands of a worker, or what somebody says is that."""

    tenant: TenantId
    item_id: WorkItemId
    worker_id: WorkerId


def patch_of(**said: Any) -> WorkReport:
    """Return a report that says this, where None says nothing."""
    return WorkReport(**{name: value for name, value in said.items() if value is not None})
