"""Workers that come, and the tokens that they are given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from events.ids import AgentId
from hosting.domain.identity import Identity
from hosting.domain.secret import Secret
from hosting.domain.work_item import WorkerId
from hosting.domain.worker import ACTIVE, Worker
from hosting.ports.tokens import WorkerClaims
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.worker_agents import agents_for

TOKEN_LIFE: Final = timedelta(hours=1)
SCOPES: Final = ("worker",)

_HEARTBEAT_SECONDS: Final = 30.0
_HEARTBEATS_OF_A_LEASE: Final = 4


@dataclass(frozen=True, slots=True)
class RuntimeToken:
    """What a worker shows from now on, and until when it can."""

    text: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a worker says of itself when it registers; `raw` is all of it, as JSON."""

    hostname: str
    capacity: int = 1
    version: str | None = None
    projects: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    status: str = ACTIVE
    active_count: int = 0
    raw: bytes = b"{}"


@dataclass(frozen=True, slots=True)
class Registered:
    """A worker that has come, with its token if it was to get one, and the agents whose work it can get now."""

    worker: Worker
    token: RuntimeToken | None
    agents: list[AgentId]


async def register_worker(
    fleet: Fleet, sponsor: Identity, project: str | None, said: Introduction, *, with_token: bool = True
) -> Registered:
    """Register a worker, which has nothing to do yet; `project` narrows it to the work of that one.

    When the key of its sponsor is revoked its token is worth nothing any more.

    Raises:
        SigningKeyMissing: it is to have a token, and the server has no key to sign it with; it is not registered.
        StorageUnavailable: it is not registered, or that is not known.
    """
    ids, now = fleet.runtime.ids, fleet.runtime.clock()
    worker = Worker(
        id=WorkerId(ids.worker()),
        tenant=sponsor.tenant,
        key_id=sponsor.key_id,
        registration_id=ids.registration(),
        hostname=said.hostname,
        capacity=said.capacity,
        registered_at=now,
        last_heartbeat=now,
        project=project,
        projects=said.projects,
        agents=said.agents,
        capabilities=said.capabilities,
        version=said.version,
        status=said.status,
        active_count=said.active_count,
        raw=said.raw,
    )
    # First, so that a worker which gets none is not there.
    token = issue_token(fleet, worker) if with_token else None
    agents = await agents_for(fleet, worker)
    await fleet.workers.add(worker)
    return Registered(worker, token, agents)


def issue_token(fleet: Fleet, worker: Worker) -> RuntimeToken:
    """Give a worker a token.

    Raises:
        SigningKeyMissing: the server has no key to sign it with.
    """
    expires_at = (fleet.runtime.clock() + TOKEN_LIFE).replace(microsecond=0)
    claims = WorkerClaims(
        jti=fleet.runtime.ids.token(),
        project=worker.project,
        tenant=worker.tenant,
        worker_id=worker.id,
        registration_id=worker.registration_id,
        scopes=SCOPES,
        expires_at=expires_at,
    )
    return RuntimeToken(fleet.tokens.issue(claims), expires_at)


async def renew_token(fleet: Fleet, worker: Worker, by: Identity) -> RuntimeToken:
    """Give a worker its next token; a key that asks for it stands for the worker from now on.

    Raises:
        SigningKeyMissing: the server has no key to sign it with.
        StorageUnavailable: it cannot be noted which key that is.
    """
    token = issue_token(fleet, worker)
    if by.key_id is not None and by.key_id != worker.key_id:
        await fleet.workers.vouch(worker.tenant, worker.id, by.key_id)
    return token


def heartbeat_seconds(fleet: Fleet) -> float:
    """Return how often a worker is to show that it is there: often enough that its leases outlast three that fail."""
    return min(_HEARTBEAT_SECONDS, fleet.lease_seconds / _HEARTBEATS_OF_A_LEASE)
