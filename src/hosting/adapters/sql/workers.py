"""The members of the fleet, on SQL."""

from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import workers
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId
from hosting.domain.worker import Worker

_ADD: Final = insert(workers).values(last_heartbeat=database_now())
_OF_TENANT: Final = select(workers).where(workers.c.tenant == bindparam("owner")).order_by(workers.c.registered_at)
_ONE: Final = select(workers).where(workers.c.tenant == bindparam("owner"), workers.c.id == bindparam("worker"))


class SqlWorkers:
    """See the door, Workers."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def add(self, worker: Worker) -> None:
        """See Workers.add."""
        row = {
            **_said(worker),
            "id": worker.id,
            "tenant": worker.tenant,
            "registration_id": worker.registration_id,
            "registered_at": to_ticks(worker.registered_at),
            "raw": worker.raw,
        }
        await self._transactor.run(lambda connection: connection.execute(_ADD, row))

    async def worker(self, tenant: TenantId, worker_id: WorkerId) -> Worker | None:
        """See Workers.worker."""
        return next(map(_to_worker, await rows(self._reading, _ONE, owner=tenant, worker=worker_id)), None)

    async def listed(self, tenant: TenantId) -> list[Worker]:
        """See Workers.listed."""
        return [_to_worker(row) for row in await rows(self._reading, _OF_TENANT, owner=tenant)]

    async def beat(self, worker: Worker) -> bool:
        """See Workers.beat."""
        noted = (
            update(workers)
            .where(workers.c.tenant == worker.tenant, workers.c.id == worker.id)
            .values(last_heartbeat=database_now(), **_said(worker))
        )
        return await self._transactor.run(lambda connection: bool(connection.execute(noted).rowcount))

    async def remove(self, tenant: TenantId, worker_id: WorkerId) -> bool:
        """See Workers.remove."""
        gone = delete(workers).where(workers.c.tenant == tenant, workers.c.id == worker_id)
        return await self._transactor.run(lambda connection: bool(connection.execute(gone).rowcount))


def _said(worker: Worker) -> dict[str, Any]:
    encode = msgspec.json.encode
    return {
        "hostname": worker.hostname,
        "capacity": worker.capacity,
        "project": worker.project,
        "projects": encode(worker.projects),
        "agents": encode(worker.agents),
        "capabilities": encode(worker.capabilities),
        "version": worker.version,
        "status": worker.status,
        "active_count": worker.active_count,
        "load": None if worker.load is None else encode(worker.load),
        "host_status": None if worker.host_status is None else encode(worker.host_status),
    }


def _to_worker(row: Any) -> Worker:
    names = msgspec.json.Decoder(tuple[str, ...]).decode
    return Worker(
        id=row.id,
        tenant=row.tenant,
        registration_id=row.registration_id,
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
        host_status=None if row.host_status is None else msgspec.json.decode(row.host_status),
        raw=row.raw,
    )
