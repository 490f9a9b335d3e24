"""The door to what is durable."""

from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from events.position import Position
from hosting.domain.branch import Branch
from hosting.domain.interaction import Interaction
from hosting.domain.interrupt import Interrupt
from hosting.domain.keyed_request import GivenAnswer, RequestPlace
from hosting.domain.lease import Lease
from hosting.domain.message import Message
from hosting.domain.queued import QueuedRun
from hosting.domain.run import Run
from hosting.domain.scope import BranchKey, BranchScope, NodeId
from hosting.domain.session import Session
from hosting.domain.step import Step
from hosting.ports.units import Outcome, Unit


class EventStore(Protocol):
    """Where the writer writes."""

    def commit(self, units: Sequence[Unit]) -> Awaitable[Sequence[Outcome]]:
        """Begin to make units durable in one transaction, at most one unit a branch; await for the outcomes, in order.

        When it returns, what is Committed survives a crash; what is refused changed nothing, and hindered no other.

        Raises:
            StorageUnavailable: nothing of the batch is durable.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogPage:
    """Consecutive events out of the log; `lines` are the bytes that were sent when they happened."""

    first: int
    lines: list[bytes]

    @property
    def last(self) -> int:
        """The number of the last event on the page."""
        return self.first + len(self.lines) - 1


class LogReader(Protocol):
    """Where followers and the runtime read logs, by branch key: whoever holds one has been through a tenant's door."""

    def pages(self, branch: BranchKey, after: int, upto: int | None = None) -> AsyncGenerator[LogPage]:
        """Read the events with `after` < number <= `upto` (or as far as the log goes), in order and flat memory.

        Raises:
            LogCorrupt: a row does not fit its checksum; no event of it was handed out.
            StorageUnavailable: the store cannot be read now.
        """
        ...

    def run_pages(self, branch: BranchKey, run_id: RunId) -> AsyncGenerator[LogPage]:
        """Read the events of one run, in order; raises as `pages` does."""
        ...

    async def head(self, branch: BranchKey) -> int | None:
        """Return the number of the branch's last event; None when the branch is gone."""
        ...

    async def heads(self, branches: Collection[BranchKey]) -> dict[BranchKey, int]:
        """Return the same for many at once; those that are gone are left out."""
        ...

    async def trimmed(self, branch: BranchKey) -> int | None:
        """Return the number of the last event that the branch's log has lost; None when the branch is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest events of a log, in order from `first` on."""

    first: Position
    lines: list[bytes]


class TailReader(Protocol):
    """Where a server reads what another one has written of many branches at once."""

    async def heads(self, branches: Collection[BranchKey]) -> dict[BranchKey, int]:
        """See LogReader.heads."""
        ...

    async def tails(self, after: Mapping[BranchKey, int]) -> dict[BranchKey, Tail]:
        """Return some of what follows these places, a few hundred events of each branch; none behind a damaged row.

        Raises:
            StorageUnavailable: the store cannot be read now.
        """
        ...


class TenantReads(Protocol):
    """What one tenant may see; nothing here can name another tenant's rows."""

    async def session(self, session_id: SessionId) -> Session | None:
        """Return a session."""
        ...

    async def sessions(self, limit: int, offset: int) -> list[Session]:
        """Return sessions, those with the newest activity first."""
        ...

    async def search(self, metadata: Mapping[str, Any], limit: int, offset: int) -> list[Session]:
        """Return the sessions whose metadata has all these names, with values that are the same as text."""
        ...

    async def branch(self, session_id: SessionId, branch_id: BranchId) -> Branch | None:
        """Return a branch."""
        ...

    async def branches(self, session_id: SessionId) -> list[Branch]:
        """Return a session's branches in order of creation."""
        ...

    async def relatives(self, branch: Branch) -> list[Branch]:
        """Return the forks of a branch and, when it is one itself, those of its source, in order of creation."""
        ...

    async def messages_until(self, branch: BranchKey, message_id: MessageId) -> list[Message]:
        """Return a branch's ended messages in order, up to and with one of them; none when that one has not ended."""
        ...

    async def run(self, branch: BranchKey, run_id: RunId) -> Run | None:
        """Return a run of a branch."""
        ...

    async def runs(self, branch: BranchKey, agent_id: AgentId | None) -> list[Run]:
        """Return a branch's runs, oldest first; only one agent's when it is named."""
        ...

    async def active_run(self, branch: BranchKey) -> Run | None:
        """Return the run that holds the branch."""
        ...

    async def queue(self, branch: BranchKey) -> list[QueuedRun]:
        """Return the runs that wait on a branch, the next one first."""
        ...

    async def open_interactions(self, branch: BranchKey) -> list[Interaction]:
        """Return the questions that wait for an answer, oldest first."""
        ...

    async def interaction(self, branch: BranchKey, request_id: str) -> Interaction | None:
        """Return a question of a branch, settled or not."""
        ...

    async def given_answer(self, place: RequestPlace) -> GivenAnswer | None:
        """Return what a keyed request was answered, if that is still kept; the place is this tenant's."""
        ...


class KeyedRequests(Protocol):
    """The answers that were given to keyed requests; they are stored with what they tell of."""

    async def forget(self, now: datetime, most: int) -> int:
        """Forget answers that are older than is promised, at most so many, and return how many those were.

        Raises:
            StorageUnavailable: nothing was forgotten, or that is not known.
        """
        ...


class RunReads(Protocol):
    """What a run that is held needs to know of its past."""

    async def messages(self, branch: BranchKey) -> list[Message]:
        """Return the branch's ended messages in order, those discarded left out."""
        ...

    async def open_messages(self, run_id: RunId) -> list[Message]:
        """Return the messages that a run has begun and not ended; an open one without its contents."""
        ...

    async def steps(self, run_id: RunId) -> list[Step]:
        """Return a run's steps."""
        ...

    async def interactions(self, run_id: RunId) -> list[Interaction]:
        """Return what a run has asked, oldest first."""
        ...

    async def was_asked(self, branch: BranchKey, request_id: str) -> bool:
        """Say whether a question with this id was ever asked on a branch."""
        ...

    async def settled(self, branch: BranchKey, request_id: str) -> Interaction | None:
        """Return a question that is open no more; None while it is."""
        ...

    async def state(
        self, branch: BranchKey, scope: BranchScope, names: Collection[str], *, of_branch: bool
    ) -> dict[str, bytes]:
        """Return what layers keep under these names with the branch, or with its session."""
        ...


class Watch(Protocol):
    """What a node looks at now and then, for what others did to its runs, and for what only time does."""

    async def settled_among(self, request_ids: Collection[str]) -> set[str]:
        """Return those of the questions that are open no more."""
        ...

    async def interrupts(self, run_ids: Collection[RunId]) -> list[Interrupt]:
        """Return what is wished of runs."""
        ...

    async def overdue(self, limit: int) -> list[Interaction]:
        """Return open questions whose deadline has passed, on the database's clock."""
        ...


class Leases(Protocol):
    """Who writes for which run, on the database's clock."""

    async def unowned(self, limit: int) -> list[RunId]:
        """Return active runs that nobody holds, oldest first: never claimed, or with a lease that has run out."""
        ...

    async def claim(self, wanted: Collection[RunId], node: NodeId, seconds: float) -> list[Lease]:
        """Take those of the runs that are active and unowned; each branch's fence grows, the attempt is counted."""
        ...

    async def renew(self, held: Collection[RunId], node: NodeId, seconds: float) -> set[RunId]:
        """Prolong the leases of a node, and return the runs that it has lost: active, and no longer its own."""
        ...

    async def release(self, held: Collection[RunId], node: NodeId) -> None:
        """Give runs back so that anyone may claim them at once; the attempt does not count.

        What another node has taken up meanwhile is left to it. To say it twice is to say it once.
        """
        ...

    async def expire_all(self) -> None:
        """Treat every lease of a node as run out, for a server that knows itself alone on its store.

        Those of workers go on: they are elsewhere, and need not know that a server was started again.
        """
        ...
