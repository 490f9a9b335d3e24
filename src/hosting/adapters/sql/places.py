"""Places in logs: handed out by the one statement that moves the branch rows and checks their fences."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, case, update
from sqlalchemy.sql import Update

from events.position import Position
from events.serializer import Encoded, number
from hosting.adapters.sql.dialect import number_rows
from hosting.adapters.sql.run_changes import is_to_be_folded, messages_ended
from hosting.adapters.sql.tables import branches
from hosting.domain.scope import BranchKey
from hosting.ports.units import EndRun, Enqueue, RemoveQueued, ReturnWork, StartRun, Unit
from hosting.ports.words import AddToRun

_NO_FENCE: Final = -1


class Wanted(NamedTuple):
    """What is to be added to a branch's row: places for events, and steps of its counters."""

    branch: BranchKey
    fence: int
    events: int
    messages: int = 0
    fence_steps: int = 0
    queue_steps: int = 0
    folds: int = 0


class Place(NamedTuple):
    """Where events begin, and the branch's fence and how many wait in its queue from now on."""

    first: Position
    fence: int
    queue_length: int

    def fill(self, events: Sequence[Encoded]) -> list[bytes]:
        """Number the events."""
        return number(events, self.first)


def wanted(unit: Unit, events: int) -> Wanted:
    """Return what a unit with so many events wants of its branch."""
    return Wanted(
        unit.branch_key,
        _NO_FENCE if unit.fence is None else unit.fence,
        events,
        _messages_added(unit),
        _fence_steps(unit),
        _queue_steps(unit),
        int(is_to_be_folded(unit)),
    )


def wanted_by_promoted(branch: BranchKey, events: int, messages: int) -> Wanted:
    """Return what a run that leaves the queue wants of its branch, beside what its predecessor's end wanted."""
    return Wanted(branch, _NO_FENCE, events, messages, fence_steps=1, queue_steps=-1)


def allot(connection: Connection, wishes: Sequence[Wanted]) -> dict[BranchKey, Place]:
    """Move the heads of branches whose fences hold, and return their places."""
    counts = {wish.branch: wish.events for wish in wishes}
    moved = connection.execute(_allotment(connection), {"rows": msgspec.json.encode(wishes).decode()})
    return {
        key: Place(Position(epoch, next_seq - counts[key]), fence, queue_length)
        for key, epoch, next_seq, fence, queue_length in moved
    }


def _allotment(connection: Connection) -> Update:
    statement = _ALLOTMENTS.get(connection.dialect.name)
    if statement is None:
        given = number_rows(connection.dialect, *Wanted._fields)
        statement = (
            update(branches)
            .where(branches.c.key == given.c.branch, given.c.fence.in_((_NO_FENCE, branches.c.fence)))
            .values(
                next_seq=branches.c.next_seq + given.c.events,
                message_count=branches.c.message_count + given.c.messages,
                # With each holder that comes, and with each run that ends: nothing follows a run's end.
                fence=branches.c.fence + given.c.fence_steps,
                queue_length=branches.c.queue_length + given.c.queue_steps,
                fold_due=case((given.c.folds > 0, branches.c.next_seq + given.c.events - 1), else_=branches.c.fold_due),
            )
            .returning(branches.c.key, branches.c.epoch, branches.c.next_seq, branches.c.fence, branches.c.queue_length)
        )
        _ALLOTMENTS[connection.dialect.name] = statement
    return statement


_ALLOTMENTS: dict[str, Update] = {}


def _messages_added(unit: Unit) -> int:
    begun = sum(len(change.messages) for change in unit.changes if isinstance(change, StartRun))
    return messages_ended(unit) + begun + sum(isinstance(change, AddToRun) for change in unit.changes)


def _fence_steps(unit: Unit) -> int:
    return sum(
        isinstance(change, EndRun | ReturnWork) or (isinstance(change, StartRun) and change.holder is not None)
        for change in unit.changes
    )


def _queue_steps(unit: Unit) -> int:
    return sum(isinstance(change, Enqueue) - isinstance(change, RemoveQueued) for change in unit.changes)
