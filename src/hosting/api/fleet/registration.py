"""Routes that workers get their names and tokens by."""

from typing import Annotated, Any, Final

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from events.serializer import timestamp_text
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report, report_text
from hosting.api.fleet.members import worker_named
from hosting.api.fleet.renewal import PATH
from hosting.api.fleet.saying import ALL_ROUTED, Capacity, Mixed, Name, Names, bearer_of, echoed, kept, texts
from hosting.api.openapi import answers, takes
from hosting.domain.admission import Forbidden
from hosting.domain.credential import LONGEST_LABEL
from hosting.domain.identity import CallerKind, Identity
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.registration import (
    Introduction,
    RuntimeToken,
    heartbeat_seconds,
    register_worker,
    renew_token,
)

POLL_SECONDS: Final = 5
_DEFAULT_CAPACITY: Final = 1


class Registration(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker says of itself; anything else is kept as it is.

    `agentIds` are ids or names of the agents whose work it can do; without any it takes all.
    """

    hostname: Name
    capacity: Capacity | None = None
    max_agents: Capacity | None = None
    older_max_agents: Capacity | None = field(default=None, name="max_agents")
    version: str | None = None
    projects: Names | None = None
    project_ids: Names | None = None
    project_id: Annotated[str, Meta(max_length=LONGEST_LABEL)] | None = None
    project_admission_mode: str | None = None
    agent_ids: Names | None = None
    capabilities: Mixed | None = None

    def introduction(self, body: bytes, shown: str | None) -> Introduction:
        """Return what the fleet takes of it; `shown` is what the request has shown, which is not kept.

        Raises:
            ApiError, InvalidRequest: it is too much.
        """
        capacity = self.capacity or self.max_agents or self.older_max_agents or _DEFAULT_CAPACITY
        everywhere = self.project_admission_mode == ALL_ROUTED
        return Introduction(
            hostname=self.hostname,
            capacity=capacity,
            version=self.version,
            projects=() if everywhere else self.projects or self.project_ids or (),
            agents=self.agent_ids or (),
            capabilities=texts(self.capabilities),
            raw=kept(body, shown),
        )


class RegisteredView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A worker that is registered, in the names of all; intervals are milliseconds unless they say otherwise.

    `agents` are the ids of those whose work it can get now; there may be others later.
    """

    worker_id: str
    heartbeat_interval: int
    poll_interval: int = POLL_SECONDS * 1000
    runtime_token: str | None
    runtime_token_expires_at: str | None
    older_worker_id: str = field(name="worker_id")
    older_runtime_jwt: str | None = field(name="runtime_jwt")
    older_heartbeat: int = field(name="heartbeat_interval_seconds")
    agents: list[str]


class Renewal(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker says when it wants a new token."""

    session_shim: Raw = Raw()


class RenewedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A new token of the same worker; its end is told in both names, intervals are milliseconds."""

    worker_id: str
    runtime_token: str
    runtime_token_expires_at: str
    expires_at: str
    heartbeat_interval: int
    poll_interval: int = POLL_SECONDS * 1000
    session_shim: Any | UnsetType = UNSET


@post(
    "/api/workers/register",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(Registration),
    responses=answers(
        "invalid-request", "payload-too-large", "unsupported-media-type", "no-signing-key", "storage-unavailable"
    ),
)
async def register(
    request: Request[Any, Any, Any], caller: NamedDependency[Caller], fleet: NamedDependency[Fleet]
) -> RegisteredView:
    """Register a worker; who comes with the shared key gets no token, and goes on with the key."""
    said = await read_report(request, Registration)
    registered = await register_worker(
        fleet,
        caller.identity,
        project_of(caller.identity, said.project_id),
        said.introduction(await report_text(request), bearer_of(request)),
        with_token=caller.identity.kind is not CallerKind.SHARED_KEY,
    )
    every, token = heartbeat_seconds(fleet), registered.token
    return RegisteredView(
        worker_id=registered.worker.id,
        heartbeat_interval=int(every * 1000),
        runtime_token=None if token is None else token.text.reveal(),
        runtime_token_expires_at=None if token is None else expiry(token),
        older_worker_id=registered.worker.id,
        older_runtime_jwt=None if token is None else token.text.reveal(),
        older_heartbeat=whole_seconds(every),
        agents=list(registered.agents),
    )


@post(
    PATH,
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Renewal),
    responses=answers(
        "worker-not-found",
        "invalid-request",
        "payload-too-large",
        "unsupported-media-type",
        "no-signing-key",
        "storage-unavailable",
    ),
)
async def refresh_token(
    worker_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> RenewedView:
    """Give a worker a new token; a key that could have registered it asks for it, or its own token, however old."""
    worker = await worker_named(fleet, caller.identity, worker_id)
    if caller.identity.kind is CallerKind.SHARED_KEY:
        raise Forbidden("Who has the shared key has no token; it goes on with the key.")
    said = await read_report(request, Renewal)
    token = await renew_token(fleet, worker, caller.identity)
    return RenewedView(
        worker_id=worker.id,
        runtime_token=token.text.reveal(),
        runtime_token_expires_at=expiry(token),
        expires_at=expiry(token),
        heartbeat_interval=int(heartbeat_seconds(fleet) * 1000),
        session_shim=echoed(said.session_shim),
    )


def project_of(identity: Identity, wanted: str | None) -> str | None:
    """Return the only project that a worker is registered for; None stands for no such limit.

    Raises:
        Forbidden: a worker registers nobody, and a project's key nobody for another project.
    """
    if identity.kind is CallerKind.WORKER:
        raise Forbidden("The token of a worker registers nobody; register with a key.")
    if identity.project is not None and wanted not in {None, "", identity.project}:
        raise Forbidden("This key is for another project.")
    return identity.project or wanted or None


def expiry(token: RuntimeToken) -> str:
    """Return when a token ends, as workers read it."""
    return timestamp_text(token.expires_at)


def whole_seconds(seconds: float) -> int:
    """Return an interval for those who know no parts of seconds."""
    return max(1, int(seconds))
