"""Routes by which operators look after what was given up."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from hosting.api.caller import Caller
from hosting.api.fleet.holders import session_named
from hosting.api.once import once, shown
from hosting.api.openapi import answers
from hosting.domain.work_item import WorkItem
from hosting.runtime.keyed import Keyed
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.dead_letters import Requeued, requeue_dead

_MOST: Final = 200


class DeadView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An item that was given up after so many attempts; times are milliseconds since 1970."""

    session_id: str
    runtime_run_id: str
    source_session_id: str
    branch_id: str
    agent_id: str
    work_type: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    priority: int
    attempts: int
    reason: str
    queued_at: int
    given_up_at: int

    @classmethod
    def of(cls, item: WorkItem) -> "DeadView":
        """Show one."""
        return cls(
            session_id=item.id,
            runtime_run_id=item.run_id,
            source_session_id=item.scope.session_id,
            branch_id=item.scope.branch_id,
            agent_id=item.agent_id,
            work_type=item.terms.work_type or UNSET,
            project_name=item.terms.project or UNSET,
            priority=item.terms.priority,
            attempts=item.attempts,
            reason=f"{item.attempts} workers were lost with it.",
            queued_at=int(item.queued_at.timestamp() * 1000),
            given_up_at=int(item.updated_at.timestamp() * 1000),
        )


class DeadLettersView(Struct, frozen=True):
    """What was given up, the last first."""

    items: list[DeadView]


class RequeuedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The new run of an input whose run was given up."""

    requeued: bool = True
    session_id: str
    source_session_id: str
    branch_id: str
    runtime_run_id: str
    status: str
    position: str

    @classmethod
    def of(cls, done: Requeued) -> "RequeuedView":
        """Show one."""
        return cls(
            session_id=done.item.id,
            source_session_id=done.item.scope.session_id,
            branch_id=done.item.scope.branch_id,
            runtime_run_id=done.submitted.run_id,
            status=done.submitted.status,
            position=str(done.submitted.position),
        )


@get("/api/work/dead", responses=answers("invalid-request", "storage-unavailable"))
async def list_dead(
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST)] = _MOST,
) -> DeadLettersView:
    """List what too many workers were lost with, the last first."""
    return DeadLettersView([DeadView.of(item) for item in await fleet.work.dead(caller.tenant, limit)])


@post(
    "/api/work/dead/{session_id:str}/requeue",
    status_code=200,
    responses=answers(
        "work-session-not-found",
        "work-session-not-dead",
        "agent-not-found",
        "queue-full",
        "not-ready",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def requeue(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Response[RequeuedView]:
    """Submit the input of what was given up once more; a new run of its branch works on it."""

    async def submit(keyed: Keyed[Requeued] | None) -> Requeued:
        named = await session_named(fleet, caller.identity, session_id)
        return await requeue_dead(fleet, caller.tenant, named.id, keyed)

    return await once(request, caller, submit, lambda done: shown(RequeuedView.of(done)), has_body=False)
