"""What one tenant may see; every statement names the tenant."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import bindparam, select

from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from events.runs import RunStatus
from hosting.adapters.sql.interactions import INTERACTIONS, to_interaction
from hosting.adapters.sql.keyed_requests import GIVEN_ANSWER, to_given_answer
from hosting.adapters.sql.queue import QUEUED, to_queued
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.rows import to_branch, to_messages, to_run, to_session
from hosting.adapters.sql.search import search
from hosting.adapters.sql.tables import branches, interactions, messages, runs, sessions
from hosting.adapters.sql.tree import RELATIVES, sources_of
from hosting.domain.branch import Branch
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.keyed_request import GivenAnswer, RequestPlace
from hosting.domain.message import Message, MessageState
from hosting.domain.queued import QueuedRun
from hosting.domain.run import Run
from hosting.domain.scope import BranchKey, TenantId
from hosting.domain.session import Session

_SESSIONS: Final = select(sessions).where(sessions.c.tenant == bindparam("tenant"))
_SESSION: Final = _SESSIONS.where(sessions.c.id == bindparam("session"))
_NEWEST_SESSIONS: Final = (
    _SESSIONS.order_by(sessions.c.last_activity.desc(), sessions.c.id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_BRANCHES: Final = select(branches).where(
    branches.c.tenant == bindparam("tenant"), branches.c.session_id == bindparam("session")
)
_BRANCHES_AS_CREATED: Final = _BRANCHES.order_by(branches.c.created_at, branches.c.id)
_BRANCH: Final = _BRANCHES.where(branches.c.id == bindparam("branch"))
_RUNS: Final = (
    select(*runs.c, branches.c.session_id, branches.c.id.label("branch_id"))
    .join(branches, branches.c.key == runs.c.branch_key)
    .where(runs.c.tenant == bindparam("tenant"), runs.c.branch_key == bindparam("branch"))
)
_RUNS_AS_STARTED: Final = _RUNS.order_by(runs.c.number)
_RUNS_OF_AGENT: Final = _RUNS_AS_STARTED.where(runs.c.agent_id == bindparam("agent"))
_RUN: Final = _RUNS.where(runs.c.id == bindparam("run"))
_ACTIVE_RUN: Final = _RUNS.where(runs.c.status == RunStatus.ACTIVE)
_ENDED: Final = (
    messages.c.tenant == bindparam("tenant"),
    messages.c.branch_key == bindparam("branch"),
    messages.c.state.in_((MessageState.COMPLETE, MessageState.INTERRUPTED)),
)
# Compared with a number that is not there, no message is left.
_MESSAGES_UNTIL: Final = (
    select(messages)
    .where(
        *_ENDED,
        messages.c.number
        <= select(messages.c.number).where(*_ENDED, messages.c.id == bindparam("message")).scalar_subquery(),
    )
    .order_by(messages.c.number)
)
_QUEUE: Final = QUEUED.where(runs.c.tenant == bindparam("tenant"))
_INTERACTIONS: Final = INTERACTIONS.where(
    interactions.c.tenant == bindparam("tenant"), interactions.c.branch_key == bindparam("branch")
)
_INTERACTION: Final = _INTERACTIONS.where(interactions.c.id == bindparam("request"))
_OPEN_INTERACTIONS: Final = _INTERACTIONS.where(interactions.c.state == InteractionState.OPEN).order_by(
    interactions.c.seq
)


class SqlTenantReads:
    """See the door, TenantReads."""

    def __init__(self, reading: Reading, tenant: TenantId) -> None:
        self._reading = reading
        self._tenant = tenant

    async def session(self, session_id: SessionId) -> Session | None:
        """See TenantReads.session."""
        found = await rows(self._reading, _SESSION, tenant=self._tenant, session=session_id)
        return next(map(to_session, found), None)

    async def sessions(self, limit: int, offset: int) -> list[Session]:
        """See TenantReads.sessions."""
        found = await rows(self._reading, _NEWEST_SESSIONS, tenant=self._tenant, limit=limit, offset=offset)
        return [to_session(row) for row in found]

    async def search(self, metadata: Mapping[str, Any], limit: int, offset: int) -> list[Session]:
        """See TenantReads.search."""
        return await self._reading.run(lambda connection: search(connection, self._tenant, metadata, limit, offset))

    async def branch(self, session_id: SessionId, branch_id: BranchId) -> Branch | None:
        """See TenantReads.branch."""
        found = await rows(self._reading, _BRANCH, tenant=self._tenant, session=session_id, branch=branch_id)
        return next(map(to_branch, found), None)

    async def branches(self, session_id: SessionId) -> list[Branch]:
        """See TenantReads.branches."""
        found = await rows(self._reading, _BRANCHES_AS_CREATED, tenant=self._tenant, session=session_id)
        return [to_branch(row) for row in found]

    async def relatives(self, branch: Branch) -> list[Branch]:
        """See TenantReads.relatives."""
        return [to_branch(row) for row in await rows(self._reading, RELATIVES, **sources_of(branch))]

    async def messages_until(self, branch: BranchKey, message_id: MessageId) -> list[Message]:
        """See TenantReads.messages_until."""
        given = {"tenant": self._tenant, "branch": branch, "message": message_id}
        return await to_messages(await rows(self._reading, _MESSAGES_UNTIL, **given))

    async def run(self, branch: BranchKey, run_id: RunId) -> Run | None:
        """See TenantReads.run."""
        found = await rows(self._reading, _RUN, tenant=self._tenant, branch=branch, run=run_id)
        return next(map(to_run, found), None)

    async def runs(self, branch: BranchKey, agent_id: AgentId | None) -> list[Run]:
        """See TenantReads.runs."""
        given: dict[str, object] = {"tenant": self._tenant, "branch": branch}
        if agent_id is None:
            found = await rows(self._reading, _RUNS_AS_STARTED, **given)
        else:
            found = await rows(self._reading, _RUNS_OF_AGENT, agent=agent_id, **given)
        return [to_run(row) for row in found]

    async def active_run(self, branch: BranchKey) -> Run | None:
        """See TenantReads.active_run."""
        found = await rows(self._reading, _ACTIVE_RUN, tenant=self._tenant, branch=branch)
        return next(map(to_run, found), None)

    async def queue(self, branch: BranchKey) -> list[QueuedRun]:
        """See TenantReads.queue."""
        return [to_queued(row) for row in await rows(self._reading, _QUEUE, tenant=self._tenant, branch=branch)]

    async def open_interactions(self, branch: BranchKey) -> list[Interaction]:
        """See TenantReads.open_interactions."""
        found = await rows(self._reading, _OPEN_INTERACTIONS, tenant=self._tenant, branch=branch)
        return [to_interaction(row) for row in found]

    async def interaction(self, branch: BranchKey, request_id: str) -> Interaction | None:
        """See TenantReads.interaction."""
        found = await rows(self._reading, _INTERACTION, tenant=self._tenant, branch=branch, request=request_id)
        return next(map(to_interaction, found), None)

    async def given_answer(self, place: RequestPlace) -> GivenAnswer | None:
        """See TenantReads.given_answer."""
        found = await rows(self._reading, GIVEN_ANSWER, **{**place._asdict(), "tenant": self._tenant})
        return next(map(to_given_answer, found), None)
