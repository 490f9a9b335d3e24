"""Runs that workers of our own do: they write their own events, each batch once, and this node numbers them.

A worker writes by its claim. The node that takes its words moves the fence when it begins to, as a desk does, so that
two nodes never write for one run from what each remembers of it.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from events.ids import MessageId
from hosting.domain.errors import LogCorrupt, StorageUnavailable
from hosting.domain.lease import Lease
from hosting.domain.remote_batch import Batch
from hosting.domain.work_item import Holding, WorkItem, WorkItemId, WorkState
from hosting.ports.store import Watch
from hosting.ports.units import Committed, Unit, UpdateWork
from hosting.ports.work import Claim
from hosting.runtime.finish import WORK_STATE
from hosting.runtime.recovery import read_past
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.remote_order import Order

OTHERS_WRITE: Final = "other servers write for this run at the same time"

_MOST_KEPT: Final = 4096


class Mark(msgspec.Struct, frozen=True):
    """The last batch of a claim that is stored, as the branch keeps it."""

    claim: int
    batch: int


@dataclass(slots=True)
class RemoteRun:
    """What this node knows of a run that it writes for: the last batch, and the messages that are not ended."""

    item: WorkItem
    lease: Lease
    last: int
    unended: set[MessageId]
    steps: set[str]
    begun: bool
    """Whether its turn has begun."""
    said: set[MessageId]
    """The messages that the branch had when the run was opened, and those that it has begun since."""
    order: Order | None
    """None when what it has written before cannot be read any more."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def state_name(item_id: WorkItemId) -> str:
    """Return the name under which the branch keeps which batches are stored."""
    return f"remote:{item_id}"


class RemoteRuns:
    """Keeps the runs that were written for last; one that others have written past is read anew."""

    def __init__(self, fleet: Fleet, watch: Watch) -> None:
        self.fleet = fleet
        self.watch = watch
        self._kept: OrderedDict[WorkItemId, RemoteRun] = OrderedDict()
        self._opening: WeakValueDictionary[WorkItemId, asyncio.Lock] = WeakValueDictionary()

    async def take(self, holding: Holding) -> tuple[Claim, int]:
        """Let a worker begin with an item that it has, or go on behind the batch that is returned.

        What it wrote before is written; what is still under way is not, and will not be.

        Raises:
            WorkItemMissing, NotTheOwner, WorkEnded: it has it not.
            StorageUnavailable: that is not known.
        """
        self._kept.pop(holding.item_id, None)
        claim = await self.fleet.work.take(holding)
        if claim is None:
            raise await self.fleet.desks.why(holding)
        item, lease = claim.item, claim.lease
        if item.state is WorkState.CLAIMED:
            begun = UpdateWork(item.id, WorkState.RUNNING, None, self.fleet.runtime.clock())
            unit = Unit(item.scope.tenant, item.branch_key, item.run_id, lease.fence, [begun])
            if not isinstance(await self.fleet.runtime.writer.append_to(unit), Committed):
                raise StorageUnavailable(OTHERS_WRITE)
        return claim, await self._last_batch(item)

    async def opened(self, holding: Holding) -> RemoteRun:
        """Return what is known of a run; raises as `take` does."""
        async with self._opening.setdefault(holding.item_id, asyncio.Lock()):
            kept = self._kept.get(holding.item_id)
            if kept is None or (kept.item.scope.tenant, kept.item.worker_id) != (holding.tenant, holding.worker_id):
                kept = await self._open(holding)
                self._kept[holding.item_id] = kept
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(holding.item_id)
            return kept

    def forget(self, run: RemoteRun) -> None:
        """Let a run go that has ended, or that others have written for."""
        if self._kept.get(run.item.id) is run:
            del self._kept[run.item.id]

    async def item(self, holding: Holding) -> WorkItem:
        """Return an item that a worker has; raises as `take` does."""
        item = await self.fleet.work.item(holding.tenant, holding.item_id)
        if item is None or item.worker_id != holding.worker_id or not item.state.is_held:
            raise await self.fleet.desks.why(holding)
        return item

    async def ended_by(self, holding: Holding, batch: Batch) -> bool:
        """Say whether a batch that comes too late is the one that has ended the run."""
        item, end = await self.fleet.work.item(holding.tenant, holding.item_id), batch.ends
        return (
            end is not None
            and item is not None
            and (item.worker_id, item.claim) == (holding.worker_id, batch.claim)
            and item.state is WORK_STATE[end.status]
        )

    async def _open(self, holding: Holding) -> RemoteRun:
        claim = await self.fleet.work.take(holding)
        if claim is None:
            raise await self.fleet.desks.why(holding)
        item, lease, reads = claim.item, claim.lease, self.fleet.runtime.run_reads
        order = await self._order(lease)
        said = {message.id for message in await reads.messages(item.branch_key)}
        return RemoteRun(
            item=item,
            lease=lease,
            last=await self._last_batch(item),
            unended={message.id for message in await reads.open_messages(item.run_id)},
            steps={step.key.place for step in await reads.steps(item.run_id)},
            begun=lease.run.turn_id is not None,
            said=said if order is None else said | order.messages,
            order=order,
        )

    async def _order(self, lease: Lease) -> Order | None:
        """Return what the run has left open."""
        order = Order(lease.run.turn_id or "")
        try:
            await read_past(self.fleet.runtime, lease, order.see)
        except LogCorrupt:
            # It must end all the same.
            return None
        return order

    async def _last_batch(self, item: WorkItem) -> int:
        """Return which batch of the item's claim is the last one that is stored, once nobody else writes any."""
        name = state_name(item.id)
        kept = await self.fleet.runtime.run_reads.state(item.branch_key, item.scope, [name], of_branch=True)
        mark = msgspec.json.decode(kept[name], type=Mark) if name in kept else Mark(0, 0)
        return mark.batch if mark.claim == item.claim else 0
