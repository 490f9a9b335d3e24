"""Units of work: what the writer asks the store to do, whole or not at all."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from events.ids import MessageId, RunId
from events.position import Position
from events.serializer import Encoded
from hosting.domain.branch import Branch
from hosting.domain.lease import Holder
from hosting.domain.message import Message
from hosting.domain.run import Ending, Run
from hosting.domain.scope import BranchKey, TenantId
from hosting.domain.session import Session
from hosting.domain.step import StepKey


@dataclass(frozen=True, slots=True)
class AddSession:
    """A session comes to be; refused with SESSION_EXISTS."""

    session: Session


@dataclass(frozen=True, slots=True)
class AddBranch:
    """A branch comes to be; refused with BRANCH_EXISTS."""

    branch: Branch


@dataclass(frozen=True, slots=True)
class StartRun:
    """A run takes the branch, with the user's messages; refused with RUN_ACTIVE or MESSAGE_EXISTS.

    With a `holder` that node has the run's lease from the beginning, with the fence that Committed tells.
    """

    run: Run
    messages: tuple[Message, ...]
    holder: Holder | None = None


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
    """A step is under way."""

    run_id: RunId
    key: StepKey


@dataclass(frozen=True, slots=True)
class FinishStep:
    """A step has a result, as JSON."""

    run_id: RunId
    ordinal: int
    result: bytes


@dataclass(frozen=True, slots=True)
class EndRun:
    """A run reaches its terminal state and gives up lease and branch."""

    run_id: RunId
    ending: Ending
    completed_at: datetime


GuardedChange = AddSession | AddBranch | StartRun
RunChange = BeginTurn | OpenMessage | CloseMessage | BeginStep | FinishStep | EndRun


@dataclass(slots=True)
class Unit:
    """Events for one branch with the rows that go with them.

    With a `fence` it is for a run whose lease has that fence, and its changes are RunChanges, which are never refused.
    Without one its changes are GuardedChanges, each of which may be.
    """

    tenant: TenantId
    branch_key: BranchKey
    run_id: RunId | None = None
    fence: int | None = None
    changes: list[GuardedChange | RunChange] = field(default_factory=list)
    events: list[Encoded] = field(default_factory=list)


class Refusal(Enum):
    """Why a unit changed nothing."""

    SESSION_EXISTS = auto()
    BRANCH_EXISTS = auto()
    BRANCH_MISSING = auto()
    RUN_ACTIVE = auto()
    MESSAGE_EXISTS = auto()
    FENCED = auto()


@dataclass(frozen=True, slots=True)
class Committed:
    """A unit is durable: its events, numbered from `first`; `fence` is the branch's after it."""

    first: Position
    lines: list[bytes]
    fence: int = 0

    @property
    def before(self) -> Position:
        """The head of the log just before this unit."""
        return Position(self.first.epoch, self.first.seq - 1)


@dataclass(frozen=True, slots=True)
class Failed:
    """A unit changed nothing because it cannot be stored at all; the others of its batch were not hindered."""

    error: Exception


Outcome = Committed | Refusal | Failed
