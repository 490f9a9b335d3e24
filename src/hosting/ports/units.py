"""Units of work: what the writer asks the store to do, whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any

from events.ids import MessageId, RunId, SessionId
from events.position import Position
from events.serializer import Encoded
from hosting.domain.branch import Branch, BranchPatch
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.interrupt import Interrupt
from hosting.domain.keyed_request import Record
from hosting.domain.lease import Holder, Lease
from hosting.domain.message import Message
from hosting.domain.queued import QueuedRun
from hosting.domain.run import Ending, Run
from hosting.domain.scope import BranchKey, BranchScope, TenantId
from hosting.domain.session import Session
from hosting.domain.step import StepKey
from hosting.domain.work_item import Offer, WorkerId, WorkItemId, WorkReport, WorkState
from hosting.ports.history import CompactHistory, DiscardMessage
from hosting.ports.results import BuryWork, Observe, RateRun
from hosting.ports.words import AddToRun, PassOn, TellWorker


@dataclass(frozen=True, slots=True)
class AddSession:
    """A session comes to be; refused with SESSION_EXISTS."""

    session: Session


@dataclass(frozen=True, slots=True)
class AddBranch:
    """A branch comes to be; refused with BRANCH_EXISTS."""

    branch: Branch


TellTree = Callable[[Branch, Sequence[Branch]], Sequence[Encoded]]
"""Tells where a branch stands now, given it and its relatives (see `TenantReads.relatives`); called as Tell is."""


@dataclass(frozen=True, slots=True)
class AddFork:
    """A branch comes to be as a copy: of these messages of the unit's branch, and of the state that layers keep there.

    `log` is its whole log; the unit's own events go to the branch that it was forked from, and so does what `tell`
    tells. Refused with BRANCH_MISSING or BRANCH_EXISTS.
    """

    branch: Branch
    messages: tuple[Message, ...]
    log: tuple[Encoded, ...]
    tell: TellTree


@dataclass(frozen=True, slots=True)
class StartRun:
    """A run takes the branch, with the user's messages; refused with RUN_ACTIVE or MESSAGE_EXISTS.

    With a `holder` that node has the run's lease from the beginning, with the fence that Committed tells.
    With an `offer` the run is for workers, and the item is on offer from the beginning.
    """

    run: Run
    started_at: datetime
    messages: tuple[Message, ...]
    holder: Holder | None = None
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class PatchSession:
    """Metadata is merged into a session's, where None removes a name; refused with SESSION_MISSING."""

    session_id: SessionId
    metadata: Mapping[str, Any]
    patched_at: datetime


@dataclass(frozen=True, slots=True)
class PatchBranch:
    """What is given of a branch changes, metadata as a session's does; refused with BRANCH_MISSING.

    `tell` is called as Tell is, with the branch as it is then.
    """

    given: BranchPatch
    patched_at: datetime
    tell: Callable[[Branch], Sequence[Encoded]]


@dataclass(frozen=True, slots=True)
class RemoveBranches:
    """Branches go, with their logs, runs and messages; the unit's branch is not one of them, and stays.

    Refused with BRANCH_MISSING when one is gone already, HAS_CHILDREN when one has a fork that is not among them, and
    RUN_ACTIVE when one has a run that is active or waits. With `tell`, the unit's branch is their source.
    """

    session_id: SessionId
    keys: tuple[BranchKey, ...]
    tell: TellTree | None


@dataclass(frozen=True, slots=True)
class RemoveSession:
    """A session goes, with all its branches; refused with SESSION_MISSING, and with RUN_ACTIVE as branches are."""

    session_id: SessionId


Tell = Callable[[Sequence[QueuedRun]], Sequence[Encoded]]
"""Tells events that depend on the queue as the store finds it when the unit is written: the runs that wait, in order.

Called within the transaction, perhaps on another thread and more than once; it must do nothing else.
"""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """A run waits behind the active one: at the tail, or `first`.

    Refused with RUN_NOT_ACTIVE when there is none, QUEUE_FULL or MESSAGE_EXISTS.
    """

    queued: QueuedRun
    tell: Tell
    most: int
    first: bool = False


@dataclass(frozen=True, slots=True)
class RemoveQueued:
    """A run leaves the queue unrun; refused with RUN_NOT_QUEUED."""

    run_id: RunId
    removed_at: datetime
    tell: Tell


@dataclass(frozen=True, slots=True)
class AskForInterrupt:
    """Somebody wants a run to end, or a flow in it; refused with RUN_NOT_ACTIVE. Asked twice it stays the first."""

    interrupt: Interrupt


@dataclass(frozen=True, slots=True)
class SettleInteraction:
    """A question leaves `open`; refused with NOT_AWAITED when it is not, or not any more.

    An answer must come before the deadline and be of the type that was asked for; an expiry not before it.
    """

    request_id: str
    state: InteractionState
    response_type: str | None = None
    response: bytes | None = None


@dataclass(frozen=True, slots=True)
class BeginTurn:
    """A run's turn begins for the first time."""

    run_id: RunId
    turn_id: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """An assistant's message begins."""

    run_id: RunId
    message_id: MessageId


@dataclass(frozen=True, slots=True)
class CloseMessage:
    """An assistant's message has ended, one way or another."""

    message: Message


@dataclass(frozen=True, slots=True)
class BeginStep:
    """A step is under way; `flow` is the event flow inside of it, if it has one, and `agent_version` as in Run."""

    run_id: RunId
    key: StepKey
    flow: str | None = None
    agent_version: int | None = None


@dataclass(frozen=True, slots=True)
class FinishStep:
    """A step has a result, as JSON."""

    run_id: RunId
    place: str
    result: bytes


@dataclass(frozen=True, slots=True)
class OpenInteraction:
    """A question may be answered from now on; `request` is its event, which is of the same unit."""

    interaction: Interaction
    request: Encoded
    seconds: float | None


@dataclass(frozen=True, slots=True)
class KeepState:
    """A layer keeps something, with the session or with the branch; a value of None forgets it."""

    scope: BranchScope
    of_branch: bool
    name: str
    value: bytes | None


Promote = Callable[[QueuedRun, Sequence[QueuedRun]], Sequence[Encoded]]
"""Tells that a run has left the queue and begins, given the runs that still wait; called as Tell is."""


@dataclass(frozen=True, slots=True)
class EndRun:
    """A run reaches its terminal state and gives up lease and branch, to the first in the queue if one waits.

    That one is held by `holder`, and Committed has its lease, or it is on offer to workers; `promote` tells of it.
    """

    run_id: RunId
    ending: Ending
    completed_at: datetime
    holder: Holder
    promote: Promote


@dataclass(frozen=True, slots=True)
class UpdateWork:
    """A worker tells of its item: how it stands (None: as before), and what else it says."""

    item_id: WorkItemId
    state: WorkState | None
    report: WorkReport | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ReturnWork:
    """A worker has its item no more: it is on offer again, or `state` is where it stays.

    A `lost` one counts as an attempt. One that is `hastened` is a priority more urgent, and came just now; any other
    keeps its place. Who refused it is not given it again for `avoid_seconds`.
    """

    item_id: WorkItemId
    run_id: RunId
    worker_id: WorkerId
    returned_at: datetime
    lost: bool
    hastened: bool = False
    state: WorkState = WorkState.PENDING
    avoid_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class EndWork:
    """An item has ended with its run; one that is `dead` stays so."""

    item_id: WorkItemId
    state: WorkState
    ended_at: datetime


GuardedChange = (
    AddSession
    | AddBranch
    | AddFork
    | PatchSession
    | PatchBranch
    | RemoveBranches
    | RemoveSession
    | StartRun
    | Enqueue
    | AddToRun
    | PassOn
    | RemoveQueued
    | BuryWork
    | AskForInterrupt
    | RateRun
    | SettleInteraction
    | Observe
)
RunChange = (
    BeginTurn
    | OpenMessage
    | CloseMessage
    | DiscardMessage
    | CompactHistory
    | BeginStep
    | FinishStep
    | OpenInteraction
    | KeepState
    | UpdateWork
    | ReturnWork
    | TellWorker
    | EndWork
    | Observe
    | EndRun
)


@dataclass(slots=True)
class Unit:
    """Events for one branch with the rows that go with them.

    With a `fence` it is for a run whose lease has that fence, else it is refused with FENCED.
    Its changes are either RunChanges, which need a fence and are never refused, or GuardedChanges, which may be;
    Observe is one of either, and the last that happens. A `record` goes with changes that may be refused.
    """

    tenant: TenantId
    branch_key: BranchKey
    run_id: RunId | None = None
    fence: int | None = None
    changes: list[GuardedChange | RunChange] = field(default_factory=list)
    events: list[Encoded] = field(default_factory=list)
    record: Record | None = None

    @property
    def is_guarded(self) -> bool:
        """Whether its changes may be refused."""
        return self.fence is None or any(isinstance(change, SettleInteraction) for change in self.changes)


class Refusal(Enum):
    """Why a unit changed nothing."""

    SESSION_EXISTS = auto()
    BRANCH_EXISTS = auto()
    BRANCH_MISSING = auto()
    SESSION_MISSING = auto()
    HAS_CHILDREN = auto()
    RUN_ACTIVE = auto()
    RUN_NOT_ACTIVE = auto()
    RUN_NOT_QUEUED = auto()
    QUEUE_FULL = auto()
    RUN_NOT_RATABLE = auto()
    NOT_AWAITED = auto()
    MESSAGE_EXISTS = auto()
    WORK_NOT_DEAD = auto()
    REQUEST_REPEATED = auto()
    FENCED = auto()


@dataclass(frozen=True, slots=True)
class Committed:
    """A unit is durable, its events from `first` on; `fence` is the branch's then, `promoted` a queued run's lease."""

    first: Position
    lines: list[bytes]
    fence: int = 0
    promoted: Lease | None = None

    @property
    def before(self) -> Position:
        """The head of the log just before this unit."""
        return Position(self.first.epoch, self.first.seq - 1)


@dataclass(frozen=True, slots=True)
class Failed:
    """A unit changed nothing because it cannot be stored at all; the others of its batch were not hindered."""

    error: Exception


Outcome = Committed | Refusal | Failed
