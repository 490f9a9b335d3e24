"""What a worker of our own sends of a run in one piece (docs/reference/worker-protocol.md, Our own worker's routes).

Nothing here names a run, a branch or a session: a worker writes for the run that it has, and for no other.
"""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from events.branches import Content
from events.ids import MessageId
from events.runs import RunStatus
from hosting.domain.message import MessageState
from hosting.domain.step import StepKind

Member = Raw | UnsetType
"""A member that is any JSON, or left out."""

MOST_IN_A_BATCH: Final = 2_000
"""How many events, and how many changes, a batch can have."""

_Name = Annotated[str, Meta(min_length=1, max_length=1000)]
_Id = Annotated[str, Meta(min_length=1, max_length=128)]
_Message = Annotated[MessageId, Meta(min_length=1, max_length=128)]


class Said(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="change"):
    """A change of the run's rows."""


class TurnBegun(Said, frozen=True, kw_only=True, tag="beginTurn"):
    """The run's turn begins for the first time."""

    turn_id: _Id
    trace_id: _Id


class MessageOpened(Said, frozen=True, kw_only=True, tag="openMessage"):
    """A message of the agent begins."""

    message_id: _Message


class MessageClosed(Said, frozen=True, kw_only=True, tag="closeMessage"):
    """A message that the run has begun has ended, or has said everything and waits for its calls."""

    message_id: _Message
    state: MessageState
    contents: tuple[Content, ...] = ()


class MessageTakenBack(Said, frozen=True, kw_only=True, tag="discardMessage"):
    """A message of the run that had ended is no part of the conversation any more."""

    message_id: _Message


class HistoryCompacted(Said, frozen=True, kw_only=True, tag="compactHistory"):
    """Messages from before the run, in order, are no part of the conversation any more; a summary may stand for them.

    The batch has BRANCH_HISTORY_COMPACTED, which tells the same.
    """

    removed: Annotated[tuple[MessageId, ...], Meta(min_length=1)]
    summary_id: _Message | None = None
    contents: tuple[Content, ...] = ()


class StepBegun(Said, frozen=True, kw_only=True, tag="beginStep"):
    """A step is under way."""

    place: _Id
    kind: StepKind
    name: _Name
    arguments_hash: _Id
    flow: _Id | None = None


class StepFinished(Said, frozen=True, kw_only=True, tag="finishStep"):
    """A step has a result, which is any JSON."""

    place: _Id
    result: Raw


class QuestionOpened(Said, frozen=True, kw_only=True, tag="openInteraction"):
    """A question may be answered from now on; `event` is the index of its request among the events of the batch."""

    event: Annotated[int, Meta(ge=0)]
    place: _Id
    response_type: _Id
    seconds: Annotated[float, Meta(gt=0, le=366 * 86_400)] | None = None


class QuestionCancelled(Said, frozen=True, kw_only=True, tag="cancelInteraction"):
    """A question is asked no more; a batch with this one has nothing else but the event that tells of it."""

    request_id: _Id


class StateKept(Said, frozen=True, kw_only=True, tag="keepState"):
    """Something is kept with the branch or the session; without a value it is forgotten."""

    name: _Name
    of_session: bool = False
    value: Member = UNSET


class RunEnded(Said, frozen=True, kw_only=True, tag="endRun"):
    """The run has ended; the server tells of it, behind the events of the batch."""

    status: RunStatus
    error_type: str | None = None
    error_message: str | None = None
    reason: str | None = None


Change = (
    TurnBegun
    | MessageOpened
    | MessageClosed
    | MessageTakenBack
    | HistoryCompacted
    | StepBegun
    | StepFinished
    | QuestionOpened
    | QuestionCancelled
    | StateKept
    | RunEnded
)


class Batch(Struct, frozen=True, kw_only=True, rename="camel"):
    """Events with the changes that belong to them, written whole or not at all.

    `claim` says under which claim of its session, `batch` counts from 1 in it: one that is sent again, since its answer
    was lost, is not written again.
    """

    claim: int
    batch: Annotated[int, Meta(ge=1)]
    changes: Annotated[list[Change], Meta(max_length=MOST_IN_A_BATCH)] = []
    events: Annotated[list[Raw], Meta(max_length=MOST_IN_A_BATCH)] = []
    worker_id: str | None = None

    @property
    def cancels(self) -> bool:
        """Whether it only cancels a question, which does not count as a batch."""
        return any(isinstance(change, QuestionCancelled) for change in self.changes)

    @property
    def ends(self) -> RunEnded | None:
        """What it says of the run's end."""
        return next((change for change in self.changes if isinstance(change, RunEnded)), None)


class Written(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What became of a batch: `position` is the place of its first event, unless it was written before."""

    is_repeated: bool = False
    is_awaited: bool = True
    """False when the question that it cancels was not open any more, and nothing was written."""
    position: str | None = None


def raw_of(value: bytes | None) -> Member:
    """Return JSON as a member, which is left out for None."""
    return UNSET if value is None else Raw(value)


def bytes_of(member: Member) -> bytes | None:
    """Undo `raw_of`."""
    return None if isinstance(member, UnsetType) else bytes(member)
