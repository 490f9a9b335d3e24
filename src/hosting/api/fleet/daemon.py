"""The routes of workers that speak of themselves as daemons: the same in other words, and in whole seconds."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from msgspec import Meta, Struct

from events.serializer import timestamp_text
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller, require
from hosting.api.callers import Callers
from hosting.api.fleet.bodies import read_report, report_text
from hosting.api.fleet.heartbeat import HeartbeatReport
from hosting.api.fleet.members import worker_named
from hosting.api.fleet.registration import POLL_SECONDS, whole_seconds
from hosting.api.fleet.saying import Capacity, Count, Mixed, Name, Status, bearer_of, kept, texts
from hosting.api.openapi import answers, takes
from hosting.domain.admission import Forbidden, Unauthenticated
from hosting.domain.identity import CallerKind, Identity, Role
from hosting.domain.worker import ACTIVE
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.heartbeat import take_heartbeat
from hosting.services.fleet.registration import Introduction, heartbeat_seconds, register_worker


class DaemonRegistration(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a daemon says of itself; `registrationToken` is a key, and anything else is kept as it is."""

    registration_token: Annotated[str, Meta(min_length=1)]
    hostname: Name
    max_agents: Capacity
    version: str | None = None
    capabilities: Mixed | None = None
    active_agent_count: Count = 0
    status: Status | None = None

    def introduction(self, body: bytes, shown: str | None) -> Introduction:
        """Return what the fleet takes of it; `shown` is what the request has shown, which is not kept.

        Raises:
            ApiError, InvalidRequest: it is too much.
        """
        return Introduction(
            hostname=self.hostname,
            capacity=self.max_agents,
            version=self.version,
            capabilities=texts(self.capabilities),
            status=self.status or ACTIVE,
            active_count=self.active_agent_count,
            raw=kept(body, shown),
        )


class DaemonRegisteredView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A daemon that is registered."""

    worker_id: str
    runtime_jwt: str
    heartbeat_interval_seconds: int
    poll_interval_seconds: int = POLL_SECONDS


class DaemonHeartbeatReport(HeartbeatReport, frozen=True, kw_only=True, rename="camel"):
    """A heartbeat that says whose it is."""

    worker_id: Name


class DaemonHeartbeatView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a daemon hears, in the names of both of its descriptions."""

    acknowledged: bool = True
    ok: bool = True
    server_time: str
    server_time_ms: int
    pending_work_count: int


@post(
    "/v1/daemon/register",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(DaemonRegistration),
    responses=answers(
        "unauthenticated",
        "forbidden",
        "invalid-request",
        "payload-too-large",
        "unsupported-media-type",
        "no-signing-key",
        "storage-unavailable",
    ),
)
async def register_daemon(
    request: Request[Any, Any, Any], callers: NamedDependency[Callers], fleet: NamedDependency[Fleet]
) -> DaemonRegisteredView:
    """Register a daemon; the key in the body says who is asking, and no header does."""
    said = await read_report(request, DaemonRegistration)
    identity = await _holder(callers, said.registration_token)
    introduction = said.introduction(await report_text(request), said.registration_token)
    registered = await register_worker(fleet, identity, identity.project, introduction)
    if registered.token is None:
        raise Unauthenticated
    return DaemonRegisteredView(
        worker_id=registered.worker.id,
        runtime_jwt=registered.token.text.reveal(),
        heartbeat_interval_seconds=whole_seconds(heartbeat_seconds(fleet)),
    )


@post(
    "/v1/daemon/heartbeat",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(DaemonHeartbeatReport),
    responses=answers(
        "worker-not-found", "invalid-request", "payload-too-large", "unsupported-media-type", "storage-unavailable"
    ),
)
async def beat_daemon(
    request: Request[Any, Any, Any], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> DaemonHeartbeatView:
    """Take a daemon's sign of life; only the token that it was given opens this, no key does."""
    if caller.identity.kind is not CallerKind.WORKER:
        raise Forbidden("This takes the token that a worker was given when it registered, and no key.")
    said = await read_report(request, DaemonHeartbeatReport)
    worker = await worker_named(fleet, caller.identity, said.worker_id)
    heard = await take_heartbeat(
        fleet, worker, said.heartbeat(await report_text(request), bearer_of(request)), said.results
    )
    return DaemonHeartbeatView(
        server_time=timestamp_text(heard.at),
        server_time_ms=int(heard.at.timestamp() * 1000),
        pending_work_count=heard.pending_work,
    )


async def _holder(callers: Callers, token: str) -> Identity:
    """Return whose a key is.

    Raises:
        Unauthenticated: it is no key of anybody's.
        Forbidden: who has it cannot register workers.
    """
    identity = await callers.identify([f"Bearer {token}".encode()])
    if identity.kind is not CallerKind.KEY:
        raise Unauthenticated
    require(identity, (Role.WORKER, Role.OPERATOR))
    return identity
