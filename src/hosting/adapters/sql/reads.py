"""What may be seen: one tenant's rows, and what a held run needs of its past."""

from typing import Any

from sqlalchemy import Row, Select, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from events.ids import AgentId, BranchId, RunId, SessionId
from events.runs import RunStatus
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.rows import to_branch, to_message, to_run, to_session, to_step
from hosting.adapters.sql.tables import branches, messages, runs, sessions, steps
from hosting.domain.branch import Branch
from hosting.domain.message import Message, MessageState
from hosting.domain.run import Run
from hosting.domain.scope import BranchKey, TenantId
from hosting.domain.session import Session
from hosting.domain.step import Step

_ENDED = (MessageState.COMPLETE, MessageState.INTERRUPTED)


class SqlQueries:
    """Runs a query on a connection of the pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rows(self, statement: Select[Any]) -> list[Row[Any]]:
        """Return all rows of a query.

        Raises:
            StorageUnavailable: the store cannot be read now.
        """
        with storage_faults():
            async with self._engine.connect() as connection:
                return list((await connection.execute(statement)).all())

    async def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            StorageUnavailable: there is none.
        """
        await self.rows(select(literal(1)))


class SqlTenantReads:
    """See the door, TenantReads; every query names the tenant."""

    def __init__(self, queries: SqlQueries, tenant: TenantId) -> None:
        self._queries = queries
        self._tenant = tenant

    async def session(self, session_id: SessionId) -> Session | None:
        """See TenantReads.session."""
        statement = select(sessions).where(sessions.c.tenant == self._tenant, sessions.c.id == session_id)
        return next(map(to_session, await self._queries.rows(statement)), None)

    async def sessions(self, limit: int, offset: int) -> list[Session]:
        """See TenantReads.sessions."""
        statement = (
            select(sessions)
            .where(sessions.c.tenant == self._tenant)
            .order_by(sessions.c.last_activity.desc(), sessions.c.id)
            .limit(limit)
            .offset(offset)
        )
        return [to_session(row) for row in await self._queries.rows(statement)]

    async def branch(self, session_id: SessionId, branch_id: BranchId) -> Branch | None:
        """See TenantReads.branch."""
        statement = self._branches(session_id).where(branches.c.id == branch_id)
        return next(map(to_branch, await self._queries.rows(statement)), None)

    async def branches(self, session_id: SessionId) -> list[Branch]:
        """See TenantReads.branches."""
        statement = self._branches(session_id).order_by(branches.c.created_at, branches.c.id)
        return [to_branch(row) for row in await self._queries.rows(statement)]

    async def run(self, branch: BranchKey, run_id: RunId) -> Run | None:
        """See TenantReads.run."""
        statement = self._runs(branch).where(runs.c.id == run_id)
        return next(map(to_run, await self._queries.rows(statement)), None)

    async def runs(self, branch: BranchKey, agent_id: AgentId | None) -> list[Run]:
        """See TenantReads.runs."""
        statement = self._runs(branch).order_by(runs.c.number)
        if agent_id is not None:
            statement = statement.where(runs.c.agent_id == agent_id)
        return [to_run(row) for row in await self._queries.rows(statement)]

    async def active_run(self, branch: BranchKey) -> Run | None:
        """See TenantReads.active_run."""
        statement = self._runs(branch).where(runs.c.status == RunStatus.ACTIVE)
        return next(map(to_run, await self._queries.rows(statement)), None)

    def _branches(self, session_id: SessionId) -> Select[Any]:
        return select(branches).where(branches.c.tenant == self._tenant, branches.c.session_id == session_id)

    def _runs(self, branch: BranchKey) -> Select[Any]:
        return (
            select(*runs.c, branches.c.session_id, branches.c.id.label("branch_id"))
            .join(branches, branches.c.key == runs.c.branch_key)
            .where(runs.c.tenant == self._tenant, runs.c.branch_key == branch)
        )


class SqlRunReads:
    """See the door, RunReads."""

    def __init__(self, queries: SqlQueries) -> None:
        self._queries = queries

    async def messages(self, branch: BranchKey) -> list[Message]:
        """See RunReads.messages."""
        statement = (
            select(messages)
            .where(messages.c.branch_key == branch, messages.c.state.in_(_ENDED))
            .order_by(messages.c.number)
        )
        return [to_message(row) for row in await self._queries.rows(statement)]

    async def open_messages(self, run_id: RunId) -> list[Message]:
        """See RunReads.open_messages."""
        statement = (
            select(messages)
            .where(messages.c.run_id == run_id, messages.c.state == MessageState.OPEN)
            .order_by(messages.c.number)
        )
        return [to_message(row) for row in await self._queries.rows(statement)]

    async def steps(self, run_id: RunId) -> list[Step]:
        """See RunReads.steps."""
        statement = select(steps).where(steps.c.run_id == run_id).order_by(steps.c.ordinal)
        return [to_step(row) for row in await self._queries.rows(statement)]
