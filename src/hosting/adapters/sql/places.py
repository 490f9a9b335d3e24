"""Places in logs: handed out by the one statement that moves the branch rows and checks their fences."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, update
from sqlalchemy.sql import Update

from events.position import Position
from events.serializer import number
from hosting.adapters.sql.dialect import number_rows
from hosting.adapters.sql.run_changes import messages_ended
from hosting.adapters.sql.tables import branches
from hosting.domain.scope import BranchKey
from hosting.ports.units import Committed, EndRun, StartRun, Unit

_NO_FENCE: Final = -1


class Place(NamedTuple):
    """Where a unit's events begin, and the branch's fence from now on."""

    first: Position
    fence: int

    def fill(self, unit: Unit) -> Committed:
        """Number the unit's events."""
        return Committed(self.first, number(unit.events, self.first), self.fence)


def allot(connection: Connection, units: Sequence[Unit]) -> dict[BranchKey, Place]:
    """Move the heads of branches whose fences hold, and return the place of each unit."""
    rows = [
        (
            unit.branch_key,
            _NO_FENCE if unit.fence is None else unit.fence,
            len(unit.events),
            _messages_added(unit),
            _fence_steps(unit),
        )
        for unit in units
    ]
    counts = {unit.branch_key: len(unit.events) for unit in units}
    moved = connection.execute(_allotment(connection), {"rows": msgspec.json.encode(rows).decode()})
    return {key: Place(Position(epoch, next_seq - counts[key]), fence) for key, epoch, next_seq, fence in moved}


def _allotment(connection: Connection) -> Update:
    statement = _ALLOTMENTS.get(connection.dialect.name)
    if statement is None:
        given = number_rows(connection.dialect, "branch", "fence", "events", "messages", "fence_steps")
        statement = (
            update(branches)
            .where(branches.c.key == given.c.branch, given.c.fence.in_((_NO_FENCE, branches.c.fence)))
            .values(
                next_seq=branches.c.next_seq + given.c.events,
                message_count=branches.c.message_count + given.c.messages,
                # With each holder that comes, and with each run that ends: nothing follows a run's end.
                fence=branches.c.fence + given.c.fence_steps,
            )
            .returning(branches.c.key, branches.c.epoch, branches.c.next_seq, branches.c.fence)
        )
        _ALLOTMENTS[connection.dialect.name] = statement
    return statement


_ALLOTMENTS: dict[str, Update] = {}


def _messages_added(unit: Unit) -> int:
    return messages_ended(unit) + sum(len(change.messages) for change in unit.changes if isinstance(change, StartRun))


def _fence_steps(unit: Unit) -> int:
    return sum(
        isinstance(change, EndRun) or (isinstance(change, StartRun) and change.holder is not None)
        for change in unit.changes
    )
