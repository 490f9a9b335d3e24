"""The members of the fleet, on SQL."""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Float, bindparam, delete, func, insert, select, update

from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import work_items, workers
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.work_claims import in_states
from hosting.domain.host_status import HostStatus
from hosting.domain.scope import TenantId
from hosting.domain.work_item import HELD, WorkerId
from hosting.domain.worker import Heartbeat, Worker

_MOST_LISTED: Final = 1000
_MOST_FORGOTTEN: Final = 16
_FORGOTTEN_AFTER_SECONDS: Final = 30 * 86_400.0

_HOLDS: Final = (
    select(func.count())
    .select_from(work_items)
    .where(work_items.c.worker_id == workers.c.id, in_states(*HELD))
    .scalar_subquery()
)
_ADD: Final = insert(workers).values(last_heartbeat=database_now())
_WORKERS: Final = select(
    workers, (database_now() - workers.c.last_heartbeat).label("silent_seconds"), _HOLDS.label("holds")
)
_OF_TENANT: Final = (
    _WORKERS.where(workers.c.tenant == bindparam("owner"))
    .order_by(workers.c.last_heartbeat.desc(), workers.c.id)
    .limit(_MOST_LISTED)
)
_ONE: Final = _WORKERS.where(workers.c.tenant == bindparam("owner"), workers.c.id == bindparam("worker"))
_SILENT: Final = (
    select(workers.c.id)
    .where(
        workers.c.tenant == bindparam("owner"),
        workers.c.last_heartbeat < database_now() - bindparam("since", type_=Float),
        _HOLDS == 0,
    )
    .limit(_MOST_FORGOTTEN)
    .with_for_update(skip_locked=True)
)


class SqlWorkers:
    """See the door, Workers."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def add(self, worker: Worker) -> None:
        """See Workers.add."""
        await self._transactor.run(lambda connection: _add(connection, worker))

    async def worker(self, tenant: TenantId, worker_id: WorkerId) -> Worker | None:
        """See Workers.worker."""
        return next(map(_to_worker, await rows(self._reading, _ONE, owner=tenant, worker=worker_id)), None)

    async def listed(self, tenant: TenantId) -> list[Worker]:
        """See Workers.listed."""
        return [_to_worker(row) for row in await rows(self._reading, _OF_TENANT, owner=tenant)]

    async def beat(self, tenant: TenantId, worker_id: WorkerId, heartbeat: Heartbeat) -> bool:
        """See Workers.beat."""
        return await self._change(tenant, worker_id, {"last_heartbeat": database_now(), **_told(heartbeat)})

    async def tell(self, tenant: TenantId, worker_id: WorkerId, host_status: HostStatus) -> bool:
        """See Workers.tell."""
        return await self._change(tenant, worker_id, {"host_status": msgspec.json.encode(host_status)})

    async def vouch(self, tenant: TenantId, worker_id: WorkerId, key_id: str) -> bool:
        """See Workers.vouch."""
        return await self._change(tenant, worker_id, {"key_id": key_id})

    async def remove(self, tenant: TenantId, worker_id: WorkerId) -> bool:
        """See Workers.remove."""
        gone = delete(workers).where(workers.c.tenant == tenant, workers.c.id == worker_id)
        return await self._transactor.run(lambda connection: bool(connection.execute(gone).rowcount))

    async def _change(self, tenant: TenantId, worker_id: WorkerId, values: dict[str, Any]) -> bool:
        change = update(workers).where(workers.c.tenant == tenant, workers.c.id == worker_id).values(**values)
        return await self._transactor.run(lambda connection: bool(connection.execute(change).rowcount))


def _add(connection: Connection, worker: Worker) -> None:
    """Add a worker, and let go of some that are silent for long: whoever makes rows takes away as many."""
    connection.execute(_ADD, _row(worker))
    given = {"owner": worker.tenant, "since": _FORGOTTEN_AFTER_SECONDS}
    silent = connection.scalars(_SILENT, given).all()
    if silent:
        connection.execute(delete(workers).where(workers.c.id.in_(silent)))


def _row(worker: Worker) -> dict[str, Any]:
    encode = msgspec.json.encode
    return {
        "id": worker.id,
        "tenant": worker.tenant,
        "registration_id": worker.registration_id,
        "key_id": worker.key_id,
        "registered_at": to_ticks(worker.registered_at),
        "raw": worker.raw,
        "hostname": worker.hostname,
        "capacity": worker.capacity,
        "project": worker.project,
        "projects": encode(worker.projects),
        "agents": encode(worker.agents),
        "capabilities": encode(worker.capabilities),
        "version": worker.version,
        "status": worker.status,
        "active_count": worker.active_count,
    }


def _told(heartbeat: Heartbeat) -> dict[str, Any]:
    encode = msgspec.json.encode
    told: dict[str, Any] = {
        "status": heartbeat.status,
        "active_count": heartbeat.active_count,
        "heartbeat": heartbeat.raw,
    }
    if heartbeat.load is not None:
        told["load"] = encode(heartbeat.load)
    if heartbeat.capacity is not None:
        told["capacity"] = heartbeat.capacity
    if heartbeat.projects is not None:
        told["projects"] = encode(heartbeat.projects)
    return told


def _to_worker(row: Any) -> Worker:
    names = msgspec.json.Decoder(tuple[str, ...]).decode
    status = None if row.host_status is None else msgspec.json.decode(row.host_status, type=HostStatus)
    return Worker(
        id=row.id,
        tenant=row.tenant,
        registration_id=row.registration_id,
        key_id=row.key_id,
        hostname=row.hostname,
        capacity=row.capacity,
        registered_at=from_ticks(row.registered_at),
        last_heartbeat=from_ticks(int(row.last_heartbeat * 1_000_000)),
        project=row.project,
        projects=names(row.projects),
        agents=names(row.agents),
        capabilities=names(row.capabilities),
        version=row.version,
        status=row.status,
        active_count=row.active_count,
        load=None if row.load is None else msgspec.json.decode(row.load),
        host_status=status,
        raw=row.raw,
        heartbeat=row.heartbeat,
        silent_seconds=row.silent_seconds,
        holds=row.holds,
    )
