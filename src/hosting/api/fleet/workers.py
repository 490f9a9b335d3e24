"""Routes of a worker's life: it comes, shows that it is there, polls, and goes."""

from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from events.serializer import timestamp_text
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.members import worker_named
from hosting.api.fleet.work_view import WorkView
from hosting.api.openapi import answers, takes
from hosting.domain.identity import CallerKind
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.poll import poll_work
from hosting.services.fleet.registration import Introduction, issue_token, register_worker

HEARTBEAT_MS: Final = 30_000
POLL_MS: Final = 5_000
_Name = Annotated[str, Meta(min_length=1, max_length=255)]


class Registration(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker says of itself; anything else is kept as it is."""

    hostname: _Name
    capacity: Annotated[int, Meta(ge=1, le=10_000)] = 1
    version: str | None = None
    projects: tuple[str, ...] | None = None
    project_ids: tuple[str, ...] | None = None
    agent_ids: tuple[str, ...] | None = None
    capabilities: tuple[str, ...] | None = None


class RegisteredView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A worker that is registered; intervals are milliseconds."""

    worker_id: str
    heartbeat_interval: int = HEARTBEAT_MS
    poll_interval: int = POLL_MS
    runtime_token: str | None
    runtime_token_expires_at: str | None


class PolledView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a poll brings."""

    work: list[WorkView]
    inbox_messages: dict[str, list[Any]]
    has_inbox_messages: bool
    pre_claimed: bool
    claimed_session_ids: list[str]


@post(
    "/api/workers/register",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(Registration),
    responses=answers("invalid-request", "no-signing-key", "storage-unavailable"),
)
async def register(
    request: Request[Any, Any, Any], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> RegisteredView:
    """Register a worker; who comes with the shared key gets no token, and goes on with the key."""
    said = await read_report(request, Registration)
    introduction = Introduction(
        hostname=said.hostname,
        capacity=said.capacity,
        version=said.version,
        projects=said.projects or said.project_ids or (),
        agents=said.agent_ids or (),
        capabilities=said.capabilities or (),
        raw=await request.body() or b"{}",
    )
    worker = await register_worker(fleet, caller.tenant, caller.identity.project, introduction)
    token = None if caller.identity.kind is CallerKind.SHARED_KEY else issue_token(fleet, worker)
    return RegisteredView(
        worker_id=worker.id,
        runtime_token=None if token is None else token.text,
        runtime_token_expires_at=None if token is None else _text(token.expires_at),
    )


@get(
    "/api/workers/{worker_id:str}/poll",
    responses=answers("worker-not-found", "forbidden", "storage-unavailable"),
)
async def poll(worker_id: FromPath[str], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]) -> PolledView:
    """Claim the next work; what comes back is the worker's already."""
    worker = await worker_named(fleet, caller.identity, worker_id)
    claims = await poll_work(fleet, worker)
    return PolledView(
        work=[WorkView.of(claim) for claim in claims],
        inbox_messages={},
        has_inbox_messages=False,
        pre_claimed=bool(claims),
        claimed_session_ids=[claim.item.id for claim in claims],
    )


def _text(moment: datetime) -> str:
    return timestamp_text(moment)
