"""The desks of this node: one for each run whose worker tells it something."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from hosting.domain.admission import NotTheOwner
from hosting.domain.errors import Conflict, Invalid, LeaseLost, StorageUnavailable
from hosting.domain.work_errors import WorkEnded, WorkItemMissing
from hosting.domain.work_item import Holding, WorkItemId, WorkState
from hosting.ports.work import WorkQueue
from hosting.runtime.core import Runtime
from hosting.runtime.desk import Desk
from hosting.runtime.opening import open_desk

T = TypeVar("T")

_MOST_KEPT: Final = 4096
_TRIES: Final = 8
_RENEWALS_OF_A_LEASE: Final = 6


class Desks:
    """Keeps the desks that were used last; a desk that others have written past is opened anew.

    Whatever a worker reports shows that it is there. Its lease of `lease_seconds` is prolonged here and nowhere else,
    not with each report but when a sixth of it has passed: see `renew`, which `write` calls.
    """

    def __init__(self, runtime: Runtime, work: WorkQueue, lease_seconds: float, *, attempts: int) -> None:
        self._runtime = runtime
        self._work = work
        self._lease_seconds = lease_seconds
        self._attempts = attempts
        self._kept: OrderedDict[WorkItemId, Desk] = OrderedDict()
        self._opening: WeakValueDictionary[WorkItemId, asyncio.Lock] = WeakValueDictionary()
        self._renewed: OrderedDict[Holding, float] = OrderedDict()

    async def write(self, holding: Holding, work: Callable[[Desk], Awaitable[T]]) -> T:
        """Let `work` write for a worker, and return what it returns once all of it is durable and told.

        It is called again, at a desk that is opened anew, when another node has written for the run since. What it
        refuses, as Conflict or Invalid, it refuses before it writes anything.

        Raises:
            WorkItemMissing: there is no such item.
            NotTheOwner: another worker has it, or none.
            WorkEnded: nothing more comes of it.
            StorageUnavailable: nothing of it is stored, or that is not known.
        """
        for _ in range(_TRIES):
            try:
                desk = await self._desk(holding)
            except LeaseLost:
                continue
            await self.renew(holding)
            async with desk.lock:
                if self._kept.get(holding.item_id) is not desk:
                    # Whoever wrote before has ended the run here, or left in memory what is not stored.
                    continue
                try:
                    done = await work(desk)
                    await desk.settle()
                except (Conflict, Invalid):
                    raise
                except LeaseLost:
                    self._forget(desk)
                except BaseException:
                    # What is in memory may be ahead of what is stored.
                    self._forget(desk)
                    raise
                else:
                    if desk.has_ended:
                        self._forget(desk)
                    return done
        raise StorageUnavailable("other servers write for this run at the same time")

    async def renew(self, holding: Holding) -> None:
        """Prolong the lease that a worker has of an item, unless that was done a short while ago.

        Raises:
            StorageUnavailable: it is not prolonged.
        """
        now = asyncio.get_running_loop().time()
        last = self._renewed.get(holding)
        if last is not None and now - last < self._lease_seconds / _RENEWALS_OF_A_LEASE:
            return
        await self._work.renew(holding.tenant, holding.worker_id, self._lease_seconds, only=holding.item_id)
        self._renewed[holding] = now
        self._renewed.move_to_end(holding)
        if len(self._renewed) > _MOST_KEPT:
            self._renewed.popitem(last=False)

    def forget(self, item_id: WorkItemId) -> None:
        """Let a desk go whose run has ended."""
        self._kept.pop(item_id, None)

    async def why(self, holding: Holding) -> Exception:
        """Return why nothing can be taken from a worker for an item: it is not there, not its own, or ended."""
        item = await self._work.item(holding.tenant, holding.item_id)
        if item is None:
            return WorkItemMissing()
        if item.worker_id != holding.worker_id:
            return NotTheOwner()
        # One that has not ended is its worker's still, and the lease is not: the run is being ended here.
        return WorkEnded(item.id, item.state if item.state.is_ended else WorkState.STOPPED)

    async def _desk(self, holding: Holding) -> Desk:
        return self._known(holding) or await self._opened(holding)

    def _known(self, holding: Holding) -> Desk | None:
        desk = self._kept.get(holding.item_id)
        if desk is None or desk.holding != holding:
            return None
        self._kept.move_to_end(holding.item_id)
        return desk

    async def _opened(self, holding: Holding) -> Desk:
        # One at a time: each opening moves the fence, and the one before would write in vain.
        async with self._opening.setdefault(holding.item_id, asyncio.Lock()):
            if (desk := self._known(holding)) is not None:
                return desk
            claim = await self._work.take(holding)
            if claim is None:
                raise await self.why(holding)
            lease = replace(claim.lease, worker_attempts=self._attempts)
            desk = await open_desk(self._runtime, replace(claim, lease=lease))
            self._kept[holding.item_id] = desk
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return desk

    def _forget(self, desk: Desk) -> None:
        if self._kept.get(desk.item.id) is desk:
            del self._kept[desk.item.id]
