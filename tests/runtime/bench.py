"""A writer at work on a real store, and what a test can see of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from events.position import Position
from events.sse import frames
from hosting.adapters.sql.database import Database
from hosting.domain.branch import Branch
from hosting.domain.errors import StorageUnavailable
from hosting.domain.lease import Lease
from hosting.domain.scope import BranchKey
from hosting.ports.store import EventStore
from hosting.ports.units import Committed, Outcome, Unit
from hosting.runtime.pen import Pen
from hosting.runtime.rings import Rings
from hosting.runtime.writer import Writer
from tests.store.units import NOW, SERIALIZER, opened

WITHIN_SECONDS = 10


class Gate:
    """A real store behind a gate: while it is shut commits wait before it, and one can be turned away."""

    def __init__(self, store: EventStore, journal: list[str]) -> None:
        self._store = store
        self._journal = journal
        self._open = asyncio.Event()
        self._open.set()
        self._begun = asyncio.Event()
        self._turned_away: BranchKey | None = None

    def commit(self, units: Sequence[Unit]) -> Awaitable[Sequence[Outcome]]:
        """See EventStore.commit."""
        self._journal.append("commit")
        self._begun.set()
        return self._commit(units)

    def shut(self) -> None:
        """Let nothing through from now on."""
        self._open.clear()
        self._begun.clear()

    def open(self) -> None:
        """Let through what waits, and all that comes."""
        self._open.set()

    def turn_away(self, branch: Branch) -> None:
        """Refuse the next commit that has something for this branch."""
        self._turned_away = branch.key

    async def begun(self) -> None:
        """Wait until a commit stands before the shut gate."""
        await asyncio.wait_for(self._begun.wait(), WITHIN_SECONDS)

    async def _commit(self, units: Sequence[Unit]) -> Sequence[Outcome]:
        await self._open.wait()
        if self._turned_away in {unit.branch_key for unit in units}:
            self._turned_away = None
            raise StorageUnavailable("gone for a moment")
        return await self._store.commit(units)


@dataclass
class Bench:
    """A database, the writer that writes to it through a gate, and the rings that it publishes to."""

    database: Database
    rings: Rings
    gate: Gate
    writer: Writer
    journal: list[str] = field(default_factory=list)

    def pen(self, lease: Lease) -> Pen:
        """Return the pen of a run."""
        return Pen(lease, self.writer, SERIALIZER, lambda: NOW)


@asynccontextmanager
async def benched(url: str, rings: Rings | None = None) -> AsyncIterator[Bench]:
    """Open a database and let a writer work on it."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened(url))
        journal: list[str] = []
        gate, rings = Gate(database.events, journal), rings or Rings()
        writer = Writer(gate, rings, shards=database.writers)
        work = asyncio.create_task(writer.run(), name="writer under test")
        try:
            yield Bench(database, rings, gate, writer, journal)
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work


class Listener:
    """An author that notes what it hears of its appends."""

    def __init__(self, lease: Lease, bench: Bench) -> None:
        self._lease = lease
        self._bench = bench
        self._heard = asyncio.Event()
        self.head_when_told = 0
        self.appended = 0
        self.stored = 0
        self.bytes_stored = 0
        self.error: Exception | None = None

    @property
    def lease(self) -> Lease:
        """See Author.lease."""
        return self._lease

    def durable(self, committed: Committed, count: int, size: int) -> None:
        """See Author.durable."""
        self._bench.journal.append("acknowledge")
        self.stored += count
        self.bytes_stored += size
        self.head_when_told = self._bench.rings.open(self._lease.run.branch_key).ring.head
        self._bench.rings.close(self._lease.run.branch_key)
        self._heard.set()

    def broken(self, error: Exception) -> None:
        """See Author.broken."""
        self.error = error
        self._heard.set()

    async def told(self) -> None:
        """Wait until all is stored, or never will be."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while self.error is None and self.stored < self.appended:
                self._heard.clear()
                await self._heard.wait()


async def idle() -> None:
    """Let everything that can go on without the outside world go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def framed(branch: Branch, first: int, lines: Sequence[bytes]) -> bytes:
    """Return what a reader is sent for these events."""
    return b"".join(frames(Position(branch.epoch, first), lines))
