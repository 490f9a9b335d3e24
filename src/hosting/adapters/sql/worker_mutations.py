"""What operators want workers to do to their hosts, on SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from hosting.adapters.sql.fleet_tables import worker_mutations, workers
from hosting.adapters.sql.keyed_requests import keep_answer
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.keyed_request import AnsweredRequest
from hosting.domain.mutation import Mutation, MutationOp
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId

_AT_ONCE: Final = 100

# Locked, or a worker that is let go at the same time would leave it without one, which the database refuses.
_WORKER: Final = (
    select(workers.c.id)
    .where(workers.c.tenant == bindparam("owner"), workers.c.id == bindparam("worker"))
    .with_for_update()
)
_ADD: Final = insert(worker_mutations)
_PENDING: Final = (
    select(worker_mutations)
    .where(
        worker_mutations.c.tenant == bindparam("owner"),
        worker_mutations.c.worker_id == bindparam("worker"),
        worker_mutations.c.settled_at.is_(None),
    )
    .order_by(worker_mutations.c.number)
    .limit(_AT_ONCE)
)
_SETTLE: Final = (
    update(worker_mutations)
    .where(
        worker_mutations.c.tenant == bindparam("owner"),
        worker_mutations.c.worker_id == bindparam("worker"),
        worker_mutations.c.id == bindparam("mutation"),
        worker_mutations.c.settled_at.is_(None),
    )
    .values(settled_at=bindparam("at"), error=bindparam("why"))
)


class SqlMutations:
    """See the door, Mutations."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def add(self, mutation: Mutation, answered: AnsweredRequest | None = None) -> bool:
        """See Mutations.add."""
        return await self._transactor.run(lambda connection: _add(connection, mutation, answered))

    async def pending(self, tenant: TenantId, worker_id: WorkerId) -> list[Mutation]:
        """See Mutations.pending."""
        return [_to_mutation(row) for row in await rows(self._reading, _PENDING, owner=tenant, worker=worker_id)]

    async def settle(
        self, tenant: TenantId, worker_id: WorkerId, results: Mapping[str, str | None], at: datetime
    ) -> None:
        """See Mutations.settle."""
        said = {"owner": tenant, "worker": worker_id, "at": to_ticks(at)}
        # In one order for all: two that say the same at once must not wait for each other.
        given = [{**said, "mutation": each, "why": results[each]} for each in sorted(results)]
        if given:
            await self._transactor.run(lambda connection: connection.execute(_SETTLE, given))


def _add(connection: Connection, mutation: Mutation, answered: AnsweredRequest | None) -> bool:
    place = {"owner": mutation.tenant, "worker": mutation.worker_id}
    if connection.execute(_WORKER, place).first() is None:
        return False
    keep_answer(connection, answered)
    row = {
        "id": mutation.id,
        "tenant": mutation.tenant,
        "worker_id": mutation.worker_id,
        "op": mutation.op,
        "params": msgspec.json.encode(mutation.params),
        "requested_at": to_ticks(mutation.requested_at),
        "requested_by": mutation.requested_by,
    }
    connection.execute(_ADD, row)
    return True


def _to_mutation(row: Any) -> Mutation:
    return Mutation(
        id=row.id,
        tenant=row.tenant,
        worker_id=row.worker_id,
        op=MutationOp(row.op),
        params=msgspec.json.decode(row.params),
        requested_at=from_ticks(row.requested_at),
        requested_by=row.requested_by,
    )
