"""What a run that is held needs to know of its past."""

from typing import Final

from sqlalchemy import bindparam, select

from events.ids import RunId
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.rows import to_message, to_step
from hosting.adapters.sql.tables import messages, steps
from hosting.domain.message import Message, MessageState
from hosting.domain.scope import BranchKey
from hosting.domain.step import Step

_ENDED: Final = (
    select(messages)
    .where(
        messages.c.branch_key == bindparam("branch"),
        messages.c.state.in_((MessageState.COMPLETE, MessageState.INTERRUPTED)),
    )
    .order_by(messages.c.number)
)
_OPEN: Final = (
    select(messages)
    .where(messages.c.run_id == bindparam("run"), messages.c.state == MessageState.OPEN)
    .order_by(messages.c.number)
)
_STEPS: Final = select(steps).where(steps.c.run_id == bindparam("run")).order_by(steps.c.ordinal)


class SqlRunReads:
    """See the door, RunReads."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def messages(self, branch: BranchKey) -> list[Message]:
        """See RunReads.messages."""
        return [to_message(row) for row in await rows(self._reading, _ENDED, branch=branch)]

    async def open_messages(self, run_id: RunId) -> list[Message]:
        """See RunReads.open_messages."""
        return [to_message(row) for row in await rows(self._reading, _OPEN, run=run_id)]

    async def steps(self, run_id: RunId) -> list[Step]:
        """See RunReads.steps."""
        return [to_step(row) for row in await rows(self._reading, _STEPS, run=run_id)]
