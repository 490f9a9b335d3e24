"""The one way into a branch's log: units of work, committed in groups, then published, then acknowledged."""

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Protocol

import structlog

from events.serializer import Encoded
from hosting.domain.errors import LeaseLost, StorageUnavailable
from hosting.domain.lease import Lease
from hosting.domain.quota import Quota
from hosting.domain.scope import BranchKey
from hosting.domain.share import SHARE
from hosting.ports.store import EventStore
from hosting.ports.units import Committed, Failed, Outcome, Refusal, RunChange, Unit
from hosting.runtime.rings import Rings

_log = structlog.get_logger("branchline.writer")

_BATCH_BRANCHES = 512


class Author(Protocol):
    """Who appends under a lease, and hears how far it has become durable."""

    @property
    def lease(self) -> Lease:
        """The right to write."""
        ...

    def durable(self, committed: Committed, count: int, size: int) -> None:
        """Hear that so many more appends, and bytes of events, are committed and published."""
        ...

    def broken(self, error: Exception) -> None:
        """Hear that something appended will never be durable, nor anything after it."""
        ...


class _Write:
    """One write of a branch under way, and who waits for it."""

    __slots__ = ("author", "count", "done", "size", "unit")

    def __init__(
        self, unit: Unit, *, author: Author | None = None, done: asyncio.Future[Outcome] | None = None
    ) -> None:
        self.unit = unit
        self.author = author
        self.done = done
        self.count = 0
        self.size = 0


class Writer:
    """Numbers, commits and publishes; nothing else puts an event on a branch.

    Units of one branch are written first in, first out, at most one unit a branch and batch.
    What queues while a commit is in flight goes into the next; no timer. When that is more than one commit takes,
    tenants come into it in turn, so that nobody waits behind all branches of another.
    Units without a lease are counted in `waiting`, each for its share, until they are acknowledged, and never refused
    here.
    """

    def __init__(self, store: EventStore, rings: Rings, *, shards: int = 1, waiting: Quota[str] | None = None) -> None:
        self._waiting = waiting or Quota[str](sys.maxsize, sys.maxsize)
        self._shards = [_Shard(store, rings) for _ in range(shards)]

    async def run(self) -> None:
        """Write until cancelled; when it ends by itself the process must end with it."""
        async with asyncio.TaskGroup() as tasks:
            for index, shard in enumerate(self._shards):
                tasks.create_task(shard.run(), name=f"writer {index}")

    def append_as(self, author: Author, event: Encoded | None, changes: Sequence[RunChange] = ()) -> int:
        """Queue an event and row changes of a run, and return how many bytes they take.

        The author hears when they are durable, or that they never will be; it is told how many calls of this that were,
        with or without an event, and their bytes.
        """
        return self._shard(author.lease.run.branch_key).append(author, event, changes)

    async def append_to(self, unit: Unit) -> Committed | Refusal:
        """Write a unit that needs no lease; returns after its events are published.

        Raises:
            StorageUnavailable: nothing of it is stored.
        """
        share = SHARE.get()
        self._waiting.add(share)
        try:
            outcome = await self._shard(unit.branch_key).submit(unit)
        finally:
            self._waiting.give_back(share)
        if isinstance(outcome, Failed):
            raise outcome.error
        return outcome

    def _shard(self, branch: BranchKey) -> "_Shard":
        return self._shards[branch % len(self._shards)]


class _Shard:
    """Writes for its share of the branches, one commit at a time."""

    def __init__(self, store: EventStore, rings: Rings) -> None:
        self._store = store
        self._rings = rings
        self._lanes: dict[BranchKey, deque[_Write]] = {}
        self._work = asyncio.Event()

    def append(self, author: Author, event: Encoded | None, changes: Sequence[RunChange]) -> int:
        write = self._open_write(author)
        write.count += 1
        if changes:
            write.unit.changes.extend(changes)
        if event is None:
            return 0
        write.unit.events.append(event)
        size = event.size
        write.size += size
        return size

    async def submit(self, unit: Unit) -> Outcome:
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._lane(unit.branch_key).append(_Write(unit, done=done))
        return await done

    async def run(self) -> None:
        batch = await self._next_batch()
        commit = self._store.commit([write.unit for write in batch])
        while True:
            outcomes = await self._outcomes(commit, batch)
            written = batch
            self._drop_broken(written, outcomes)
            batch = self._take()
            if batch:
                # The next flush is under way while this one is told of.
                commit = self._store.commit([write.unit for write in batch])
            self._tell(written, outcomes)
            if not batch:
                batch = await self._next_batch()
                commit = self._store.commit([write.unit for write in batch])

    def _open_write(self, author: Author) -> _Write:
        """Return the last write in the branch's line, which goes on as long as it is this author's."""
        run = author.lease.run
        lane = self._lane(run.branch_key)
        if lane and lane[-1].author is author:
            return lane[-1]
        unit = Unit(run.scope.tenant, run.branch_key, run.id, author.lease.fence)
        lane.append(_Write(unit, author=author))
        return lane[-1]

    def _lane(self, branch: BranchKey) -> deque[_Write]:
        lane = self._lanes.get(branch)
        if lane is None:
            lane = self._lanes[branch] = deque()
            self._work.set()
        return lane

    async def _next_batch(self) -> list[_Write]:
        while not self._lanes:
            self._work.clear()
            await self._work.wait()
        return self._take()

    def _take(self) -> list[_Write]:
        batch: list[_Write] = []
        for branch in list(self._lanes) if len(self._lanes) <= _BATCH_BRANCHES else _in_turn(self._lanes):
            lane = self._lanes[branch]
            batch.append(lane.popleft())
            # Whoever has more to write goes to the end of the line.
            del self._lanes[branch]
            if lane:
                self._lanes[branch] = lane
        return batch

    async def _outcomes(self, commit: Awaitable[Sequence[Outcome]], batch: list[_Write]) -> Sequence[Outcome]:
        try:
            return await commit
        except StorageUnavailable as error:
            _log.warning("commit refused by the storage", units=len(batch), why=error.why)
            return [Failed(error)] * len(batch)

    def _drop_broken(self, batch: list[_Write], outcomes: Sequence[Outcome]) -> None:
        # What an author appended behind a write that failed must not be stored: it would leave a hole.
        for write, outcome in zip(batch, outcomes, strict=True):
            branch = write.unit.branch_key
            if write.author is None or isinstance(outcome, Committed) or branch not in self._lanes:
                continue
            kept = deque(waiting for waiting in self._lanes.pop(branch) if waiting.author is not write.author)
            if kept:
                self._lanes[branch] = kept

    def _tell(self, batch: list[_Write], outcomes: Sequence[Outcome]) -> None:
        for write, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Committed):
                self._rings.publish(write.unit.branch_key, outcome)
        for write, outcome in zip(batch, outcomes, strict=True):
            _acknowledge(write, outcome)


def _in_turn(lanes: Mapping[BranchKey, deque[_Write]]) -> list[BranchKey]:
    """Return the branches of one batch: one of each tenant's, then another of each."""
    by_tenant: dict[str, list[BranchKey]] = {}
    for branch, lane in lanes.items():
        by_tenant.setdefault(lane[0].unit.tenant, []).append(branch)
    in_turn = (branch for each in zip_longest(*by_tenant.values()) for branch in each if branch is not None)
    return list(islice(in_turn, _BATCH_BRANCHES))


def _acknowledge(write: _Write, outcome: Outcome) -> None:
    if write.done is not None and not write.done.done():
        write.done.set_result(outcome)
    if write.author is None:
        return
    if isinstance(outcome, Committed):
        write.author.durable(outcome, write.count, write.size)
    elif isinstance(outcome, Failed):
        write.author.broken(outcome.error)
    else:
        write.author.broken(LeaseLost(write.author.lease.run.id))
