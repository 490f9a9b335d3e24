"""The fleet's work on SQL; every comparison of times happens on the database's clock."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select, update

from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import work_items
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.strays import strays
from hosting.adapters.sql.tables import leases
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.work_claims import claim_items, in_states, input_of, move_item, take_item
from hosting.adapters.sql.work_items import ITEMS, to_item
from hosting.domain.message import Message
from hosting.domain.scope import TenantId
from hosting.domain.work_item import HELD, Holding, WorkerId, WorkItem, WorkItemId, WorkState
from hosting.domain.worker import Worker
from hosting.ports.work import Claim, Strays

_HELD: Final = in_states(*HELD)
_UNHEARD_LEASES: Final = 3


class SqlWorkQueue:
    """See the door, WorkQueue."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def claim(self, worker: Worker, most: int, seconds: float, *, only: WorkItemId | None = None) -> list[Claim]:
        """See WorkQueue.claim."""
        return await self._transactor.run(lambda connection: claim_items(connection, worker, most, seconds, only))

    async def take(self, holding: Holding) -> Claim | None:
        """See WorkQueue.take."""
        return await self._transactor.run(lambda connection: take_item(connection, holding))

    async def move(self, holding: Holding, worker: Worker, seconds: float) -> Claim | None:
        """See WorkQueue.move."""
        return await self._transactor.run(lambda connection: move_item(connection, holding, worker, seconds))

    async def renew(
        self, tenant: TenantId, worker_id: WorkerId, seconds: float, *, only: WorkItemId | None = None
    ) -> None:
        """See WorkQueue.renew."""
        heard = only is not None
        mine = [leases.c.node == worker_id, leases.c.tenant == tenant]
        mine.append(work_items.c.id == only if heard else _is_worked_on(seconds))
        # In the order in which ending runs give their leases up, or the two could wait for each other.
        locked = (
            select(leases.c.run_id)
            .join(work_items, work_items.c.run_id == leases.c.run_id)
            .where(*mine)
            .order_by(leases.c.run_id)
            .with_for_update(of=leases)
        )
        renewed = update(leases).where(leases.c.run_id.in_(locked)).values(expires_at=database_now() + seconds)
        await self._transactor.run(lambda connection: connection.execute(renewed))

    async def item(self, tenant: TenantId, item_id: WorkItemId) -> WorkItem | None:
        """See WorkQueue.item."""
        wanted = ITEMS.where(work_items.c.tenant == tenant, work_items.c.id == item_id)
        return next(map(to_item, await rows(self._reading, wanted)), None)

    async def input(self, item: WorkItem) -> tuple[Message, ...]:
        """See WorkQueue.input."""
        return await self._reading.run(lambda connection: input_of(connection, item.run_id))

    async def held(self, tenant: TenantId, worker_id: WorkerId) -> list[WorkItem]:
        """See WorkQueue.held."""
        mine = ITEMS.where(work_items.c.tenant == tenant, work_items.c.worker_id == worker_id, _HELD)
        return await self._items(mine.order_by(work_items.c.claimed_at, work_items.c.number))

    async def pending(self, tenant: TenantId) -> int:
        """See WorkQueue.pending."""
        count = select(func.count()).select_from(work_items)
        offered = count.where(work_items.c.tenant == tenant, in_states(WorkState.PENDING))
        return int((await rows(self._reading, offered))[0][0])

    async def strays(self, limit: int) -> Strays:
        """See WorkQueue.strays."""
        return await self._reading.run(lambda connection: strays(connection, limit))

    async def reclaim(self, items: Collection[WorkItemId]) -> None:
        """See WorkQueue.reclaim."""
        given_up = select(work_items.c.run_id).where(work_items.c.id.in_(items))
        locked = (
            select(leases.c.run_id).where(leases.c.run_id.in_(given_up)).order_by(leases.c.run_id).with_for_update()
        )
        lapse = update(leases).where(leases.c.run_id.in_(locked)).values(expires_at=0.0)
        await self._transactor.run(lambda connection: connection.execute(lapse))

    async def dead(self, tenant: TenantId, limit: int) -> list[WorkItem]:
        """See WorkQueue.dead."""
        given_up = ITEMS.where(work_items.c.tenant == tenant, in_states(WorkState.DEAD))
        return await self._items(given_up.order_by(work_items.c.updated_at.desc(), work_items.c.number).limit(limit))

    async def _items(self, statement: Any) -> list[WorkItem]:
        return [to_item(row) for row in await rows(self._reading, statement)]


def _is_worked_on(seconds: float) -> ColumnElement[bool]:
    """Select what its worker has told something of, or has had for so short a time that it may yet.

    A worker whose poll was answered into a broken connection lives on, and knows nothing of what it was given.
    """
    unheard_since = (database_now() - seconds * _UNHEARD_LEASES) * 1_000_000
    return or_(~in_states(WorkState.CLAIMED), work_items.c.claimed_at > unheard_since)
