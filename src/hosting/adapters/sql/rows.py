"""Table rows as the values of the domain."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row

from events.runs import RunStatus
from events.text import Role
from hosting.adapters.sql.contents import decode_contents
from hosting.adapters.sql.times import from_ticks
from hosting.domain.branch import Branch
from hosting.domain.message import Message, MessageState
from hosting.domain.run import Run
from hosting.domain.scope import BranchScope
from hosting.domain.session import Session
from hosting.domain.step import Step, StepKey, StepKind

_TOO_MANY_FOR_THE_LOOP: Final = 200


def to_session(row: Row[Any]) -> Session:
    """Read a row of `sessions`."""
    return Session(
        tenant=row.tenant,
        id=row.id,
        created_at=from_ticks(row.created_at),
        last_activity=from_ticks(row.last_activity),
        metadata=msgspec.json.decode(row.metadata),
    )


def to_branch(row: Row[Any]) -> Branch:
    """Read a row of `branches`."""
    return Branch(
        key=row.key,
        scope=BranchScope(row.tenant, row.session_id, row.id),
        epoch=row.epoch,
        head=row.next_seq - 1,
        trimmed=row.trimmed,
        created_at=from_ticks(row.created_at),
        last_activity=from_ticks(row.last_activity),
        name=row.name,
        description=row.description,
        tags=None if row.tags is None else msgspec.json.decode(row.tags, type=tuple[str, ...]),
        metadata=None if row.metadata is None else msgspec.json.decode(row.metadata),
        message_count=row.message_count,
        first_user_text=row.first_user_text,
        forked_from=row.forked_from,
        forked_at_message_id=row.forked_at_message_id,
        forked_at_message_index=row.forked_at_message_index,
        ancestors=() if row.ancestors is None else msgspec.json.decode(row.ancestors, type=tuple[str, ...]),
    )


def to_run(row: Row[Any]) -> Run:
    """Read a row of `runs` joined with `session_id` and `branch_id`."""
    return Run(
        id=row.id,
        branch_key=row.branch_key,
        scope=BranchScope(row.tenant, row.session_id, row.branch_id),
        agent_id=row.agent_id,
        message_id=row.message_id,
        status=RunStatus(row.status),
        started_at=_moment(row.started_at),
        completed_at=_moment(row.completed_at),
        error_type=row.error_type,
        error_message=row.error_message,
        turn_id=row.turn_id,
        trace_id=row.trace_id,
        input=row.input,
        config=row.config,
        queued_at=_moment(row.queued_at),
        agent_version=row.agent_version,
        work_item=row.work_item,
        rating=row.rating,
    )


def to_message(row: Row[Any]) -> Message:
    """Read a row of `messages`."""
    return Message(
        id=row.id,
        role=Role(row.role),
        contents=decode_contents(row.contents),
        state=MessageState(row.state),
        run_id=row.run_id,
    )


async def to_messages(rows: Sequence[Row[Any]]) -> list[Message]:
    """Read rows of `messages`; many of them not on the event loop, which nothing else could use meanwhile."""
    if len(rows) <= _TOO_MANY_FOR_THE_LOOP:
        return [to_message(row) for row in rows]
    return await asyncio.to_thread(lambda: [to_message(row) for row in rows])


def to_step(row: Row[Any]) -> Step:
    """Read a row of `steps`."""
    key = StepKey(row.place, StepKind(row.kind), row.name, row.arguments_hash)
    return Step(key, row.result, row.flow, row.agent_version)


def _moment(ticks: int | None) -> datetime | None:
    return None if ticks is None else from_ticks(ticks)
