"""The door to the fleet's work: items on offer, and who has them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from hosting.domain.lease import Lease
from hosting.domain.scope import TenantId
from hosting.domain.work_item import Holding, WorkerId, WorkItem, WorkItemId
from hosting.domain.worker import Worker


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that a worker has from now on; the lease says what the run is, and with which fence it writes."""

    item: WorkItem
    lease: Lease


class WorkQueue(Protocol):
    """Items in the order of their scores: priority first, 1 before 9, and then who came first.

    What a worker that has an item says of it, and giving it back, is written with its run's events: see UpdateWork and
    ReturnWork in `ports.units`. Times are the database's.
    """

    async def claim(self, worker: Worker, most: int, seconds: float) -> list[Claim]:
        """Give a worker the first items that it may have, at most so many and never more than its capacity."""
        ...

    async def take(self, holding: Holding) -> Claim | None:
        """Move the fence of an item that a worker has, for a node that is to write for it; None when it has it not."""
        ...

    async def renew(self, tenant: TenantId, worker_id: WorkerId, seconds: float) -> None:
        """Prolong the leases of all items that a worker has."""
        ...

    async def item(self, tenant: TenantId, item_id: WorkItemId) -> WorkItem | None:
        """Return an item."""
        ...

    async def held(self, tenant: TenantId, worker_id: WorkerId) -> list[WorkItem]:
        """Return the items that a worker has, the oldest claim first."""
        ...

    async def pending(self, tenant: TenantId) -> int:
        """Count the items on offer."""
        ...

    async def lapsed(self, limit: int) -> Sequence[WorkItem]:
        """Return items, of all tenants, whose lease has run out, or whose worker is gone."""
        ...

    async def unwanted(self, limit: int) -> Sequence[WorkItem]:
        """Return items of active runs that no worker is to have: stopped by a wish to interrupt them, or dead."""
        ...

    async def reclaim(self, items: Collection[WorkItemId]) -> None:
        """Take items from whoever has them: the next write of theirs is refused."""
        ...


class Workers(Protocol):
    """The members of the fleet; whatever changes something is durable when it returns.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def add(self, worker: Worker) -> None:
        """Register a worker."""
        ...

    async def worker(self, tenant: TenantId, worker_id: WorkerId) -> Worker | None:
        """Return a worker."""
        ...

    async def listed(self, tenant: TenantId) -> list[Worker]:
        """Return a tenant's workers, the oldest first."""
        ...

    async def beat(self, worker: Worker) -> bool:
        """Note what a worker says of itself, and that it is there; False when it is not registered any more."""
        ...

    async def remove(self, tenant: TenantId, worker_id: WorkerId) -> bool:
        """Let a worker go; False when there is none."""
        ...
