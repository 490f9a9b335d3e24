"""What a node looks at now and then."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import bindparam, literal_column, select

from events.ids import RunId
from hosting.adapters.sql.interactions import INTERACTIONS, OVERDUE, to_interaction
from hosting.adapters.sql.interrupts import OF_RUNS, to_interrupt
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import interactions
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.interrupt import Interrupt

_SETTLED: Final = select(interactions.c.id).where(
    interactions.c.id.in_(bindparam("wanted", expanding=True)), interactions.c.state != InteractionState.OPEN
)
_OVERDUE: Final = (
    # In the words of the index of parts: SQLite takes it for nothing else.
    INTERACTIONS.where(interactions.c.state == literal_column(f"'{InteractionState.OPEN}'"), OVERDUE)
    .order_by(interactions.c.expires_at)
    .limit(bindparam("limit"))
)


class SqlWatch:
    """See the door, Watch."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def settled_among(self, request_ids: Collection[str]) -> set[str]:
        """See Watch.settled_among."""
        return {row.id for row in await rows(self._reading, _SETTLED, wanted=sorted(request_ids))}

    async def interrupts(self, run_ids: Collection[RunId]) -> list[Interrupt]:
        """See Watch.interrupts."""
        return [to_interrupt(row) for row in await rows(self._reading, OF_RUNS, wanted=sorted(run_ids))]

    async def overdue(self, limit: int) -> list[Interaction]:
        """See Watch.overdue."""
        return [to_interaction(row) for row in await rows(self._reading, _OVERDUE, limit=limit)]
