"""The door to the fleet's work: items on offer, and who has them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from hosting.domain.host_status import HostStatus
from hosting.domain.lease import Lease
from hosting.domain.message import Message
from hosting.domain.scope import TenantId
from hosting.domain.work_item import Holding, WorkerId, WorkItem, WorkItemId
from hosting.domain.worker import Heartbeat, Worker


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that a worker has from now on; the lease says what the run is, and with which fence it writes."""

    item: WorkItem
    lease: Lease


@dataclass(frozen=True, slots=True)
class Strays:
    """Items whose lease has run out, whose worker is not registered any more, and that no worker is to have.

    The last are of active runs: stopped by a wish to interrupt them, or dead.
    """

    lapsed: Sequence[WorkItem]
    orphaned: Sequence[WorkItem]
    unwanted: Sequence[WorkItem]


class WorkQueue(Protocol):
    """Items in the order of their scores: priority first, 1 before 9, and then who came first.

    What a worker that has an item says of it, and giving it back, is written with its run's events: see UpdateWork and
    ReturnWork in `ports.units`. Times are the database's.
    """

    async def claim(self, worker: Worker, most: int, seconds: float, *, only: WorkItemId | None = None) -> list[Claim]:
        """Give a worker the first items that it may have, at most so many and never more than its capacity.

        With `only`, that one alone can be given, also to a worker that has just refused it.
        """
        ...

    async def take(self, holding: Holding) -> Claim | None:
        """Move the fence of an item that a worker has, for a node that is to write for it; None when it has it not."""
        ...

    async def move(self, holding: Holding, worker: Worker, seconds: float) -> Claim | None:
        """Give an item that a worker has to another one, which goes on with it; None when the first has it not."""
        ...

    async def renew(
        self, tenant: TenantId, worker_id: WorkerId, seconds: float, *, only: WorkItemId | None = None
    ) -> None:
        """Prolong the leases of all items that a worker has, or of one.

        Those that it has said nothing of in three such times are left out, unless they are named: it does not know
        that it has them.
        """
        ...

    async def item(self, tenant: TenantId, item_id: WorkItemId) -> WorkItem | None:
        """Return an item."""
        ...

    async def input(self, item: WorkItem) -> tuple[Message, ...]:
        """Return the messages that an item is about, in their order."""
        ...

    async def held(self, tenant: TenantId, worker_id: WorkerId) -> list[WorkItem]:
        """Return the items that a worker has, the oldest claim first."""
        ...

    async def pending(self, tenant: TenantId) -> int:
        """Count the items on offer."""
        ...

    async def strays(self, limit: int) -> Strays:
        """Return items, of all tenants, that somebody has to look after; of each kind so many at most."""
        ...

    async def reclaim(self, items: Collection[WorkItemId]) -> None:
        """Take items from whoever has them: the next write of theirs is refused."""
        ...

    async def dead(self, tenant: TenantId, limit: int) -> list[WorkItem]:
        """Return items that were given up, the last one first."""
        ...


class Workers(Protocol):
    """The members of the fleet; whatever changes something is durable when it returns.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def add(self, worker: Worker) -> None:
        """Register a worker; some of its tenant's that were silent for thirty days and hold nothing are forgotten."""
        ...

    async def worker(self, tenant: TenantId, worker_id: WorkerId) -> Worker | None:
        """Return a worker."""
        ...

    async def listed(self, tenant: TenantId) -> list[Worker]:
        """Return a tenant's workers, those heard of last first, at most a thousand."""
        ...

    async def beat(self, tenant: TenantId, worker_id: WorkerId, heartbeat: Heartbeat) -> bool:
        """Note what a worker says of itself, and that it is there; False when it is not registered any more."""
        ...

    async def tell(self, tenant: TenantId, worker_id: WorkerId, host_status: HostStatus) -> bool:
        """Note what a worker is to be told of its host from now on; False when there is none."""
        ...

    async def vouch(self, tenant: TenantId, worker_id: WorkerId, key_id: str) -> bool:
        """Note the key that stands for a worker from now on; False when there is none."""
        ...

    async def remove(self, tenant: TenantId, worker_id: WorkerId) -> bool:
        """Let a worker go; False when there is none."""
        ...
