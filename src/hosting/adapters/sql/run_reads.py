"""What a run that is held needs to know of its past."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import bindparam, select

from events.ids import RunId
from hosting.adapters.sql.interactions import INTERACTIONS, to_interaction
from hosting.adapters.sql.kept_state import OF_BRANCH, OF_SESSION
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.rows import to_message, to_messages, to_step
from hosting.adapters.sql.tables import interactions, messages, steps
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.message import Message, MessageState
from hosting.domain.scope import BranchKey, BranchScope
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
    .where(messages.c.run_id == bindparam("run"), messages.c.state.in_((MessageState.OPEN, MessageState.CALLING)))
    .order_by(messages.c.number)
)
_STEPS: Final = select(steps).where(steps.c.run_id == bindparam("run"))
_ASKED: Final = INTERACTIONS.where(interactions.c.run_id == bindparam("run")).order_by(interactions.c.seq)
_BY_ID: Final = INTERACTIONS.where(
    interactions.c.branch_key == bindparam("branch"), interactions.c.id == bindparam("request")
)
_SETTLED: Final = _BY_ID.where(interactions.c.state != InteractionState.OPEN)


class SqlRunReads:
    """See the door, RunReads."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def messages(self, branch: BranchKey) -> list[Message]:
        """See RunReads.messages."""
        return await to_messages(await rows(self._reading, _ENDED, branch=branch))

    async def open_messages(self, run_id: RunId) -> list[Message]:
        """See RunReads.open_messages."""
        return [to_message(row) for row in await rows(self._reading, _OPEN, run=run_id)]

    async def steps(self, run_id: RunId) -> list[Step]:
        """See RunReads.steps."""
        return [to_step(row) for row in await rows(self._reading, _STEPS, run=run_id)]

    async def interactions(self, run_id: RunId) -> list[Interaction]:
        """See RunReads.interactions."""
        return [to_interaction(row) for row in await rows(self._reading, _ASKED, run=run_id)]

    async def was_asked(self, branch: BranchKey, request_id: str) -> bool:
        """See RunReads.was_asked."""
        return bool(await rows(self._reading, _BY_ID, branch=branch, request=request_id))

    async def settled(self, branch: BranchKey, request_id: str) -> Interaction | None:
        """See RunReads.settled."""
        found = await rows(self._reading, _SETTLED, branch=branch, request=request_id)
        return next(map(to_interaction, found), None)

    async def state(
        self, branch: BranchKey, scope: BranchScope, names: Collection[str], *, of_branch: bool
    ) -> dict[str, bytes]:
        """See RunReads.state."""
        if of_branch:
            found = await rows(self._reading, OF_BRANCH, branch=branch, names=sorted(names))
        else:
            place = {"owner": scope.tenant, "session": scope.session_id}
            found = await rows(self._reading, OF_SESSION, names=sorted(names), **place)
        return {row.name: row.value for row in found}
