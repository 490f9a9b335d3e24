"""Workers that come, and the tokens that they are given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId
from hosting.domain.worker import Worker
from hosting.ports.tokens import WorkerClaims
from hosting.services.fleet.core import Fleet

TOKEN_LIFE: Final = timedelta(hours=1)
SCOPES: Final = ("worker",)


@dataclass(frozen=True, slots=True)
class RuntimeToken:
    """What a worker shows from now on, and until when it can."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a worker says of itself when it registers; `raw` is all of it."""

    hostname: str
    capacity: int = 1
    version: str | None = None
    projects: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    raw: bytes = b"{}"


async def register_worker(fleet: Fleet, tenant: TenantId, project: str | None, said: Introduction) -> Worker:
    """Register a worker, which has nothing to do yet.

    Raises:
        StorageUnavailable: it is not registered.
    """
    ids, now = fleet.runtime.ids, fleet.runtime.clock()
    worker = Worker(
        id=WorkerId(ids.worker()),
        tenant=tenant,
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
        raw=said.raw,
    )
    await fleet.workers.add(worker)
    return worker


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
