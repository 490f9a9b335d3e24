"""The route that hands out a branch's log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from urllib.parse import quote

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from events.ids import AgentId, BranchId, SessionId
from events.position import Position
from hosting.api.caller import Caller
from hosting.api.openapi import answers
from hosting.domain.branch import Branch
from hosting.domain.errors import InvalidPosition, LogCorrupt
from hosting.ports.store import LogReader

After = Annotated[str | None, QueryParameter(description="Read the events behind this position, `epoch.seq`.")]
Limit = Annotated[int | None, QueryParameter(ge=1, le=10_000, description="Read at most so many events.")]

_SESSION_LOG = "/sessions/{session_id:str}/branches/{branch_id:str}/events"


@get(
    _SESSION_LOG,
    media_type="application/json",
    responses=answers(
        "session-not-found", "branch-not-found", "invalid-position", "invalid-request", "storage-unavailable"
    ),
)
async def get_events(
    session_id: FromPath[str],
    branch_id: FromPath[str],
    caller: NamedDependency[Caller],
    after: After = None,
    limit: Limit = None,
) -> Stream:
    """Read a branch's events as one JSON array, streamed; with `limit` page by page along the Link header."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id))
    return await _respond(caller, branch, f"/sessions/{session_id}", after, limit)


@get(
    "/agents/{agent_id:str}" + _SESSION_LOG,
    media_type="application/json",
    responses=answers(
        "agent-not-found",
        "session-not-found",
        "branch-not-found",
        "invalid-position",
        "invalid-request",
        "storage-unavailable",
    ),
)
async def get_agent_events(
    agent_id: FromPath[str],
    session_id: FromPath[str],
    branch_id: FromPath[str],
    caller: NamedDependency[Caller],
    after: After = None,
    limit: Limit = None,
) -> Stream:
    """Read a branch's events, asked for under an agent."""
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id), AgentId(agent_id))
    return await _respond(caller, branch, f"/agents/{quote(agent_id, safe='')}/sessions/{session_id}", after, limit)


async def _respond(caller: Caller, branch: Branch, prefix: str, after: str | None, limit: int | None) -> Stream:
    start = _start(branch, after)
    end = branch.head if limit is None else min(branch.head, start + limit)
    headers = {}
    if end < branch.head:
        following = (
            f"{prefix}/branches/{branch.scope.branch_id}/events?after={Position(branch.epoch, end)}&limit={limit}"
        )
        headers["Link"] = f'<{following}>; rel="next"'
    array = _array(caller.runtime.log, branch, start, end)
    # The first piece is read before the headers go out, so that a store that cannot answer is still a 503.
    try:
        first = await anext(array)
    except LogCorrupt:
        now = await caller.branch(branch.scope.session_id, branch.scope.branch_id)
        if now.trimmed <= branch.trimmed:
            raise
        # It has lost its beginning since it was looked up.
        return await _respond(caller, now, prefix, after, limit)
    return Stream(_resume(first, array), media_type="application/json", headers=headers)


def _start(branch: Branch, after: str | None) -> int:
    if not after:
        return branch.trimmed
    position = Position.parse(after)
    if position is None or position.epoch != branch.epoch or not branch.trimmed <= position.seq <= branch.head:
        raise InvalidPosition(after, branch.earliest, branch.position)
    return position.seq


async def _array(log: LogReader, branch: Branch, start: int, end: int) -> AsyncGenerator[bytes]:
    lead = b"["
    async with aclosing(log.pages(branch.key, start, end)) as pages:
        async for page in pages:
            yield lead + b",".join(page.lines)
            lead = b","
    yield b"[]" if lead == b"[" else b"]"


async def _resume(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    # Closed with this one: a client that leaves midway leaves nothing for the collector to end.
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece
