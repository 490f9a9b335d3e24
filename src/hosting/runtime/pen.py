"""The pen of a run: what its holder appends, and how much of it is not durable yet."""

import asyncio
from collections.abc import Callable

from events.event import Event
from events.serializer import Encoded, Serializer, Stamp
from hosting.domain.errors import LeaseLost
from hosting.domain.lease import Lease
from hosting.ports.clock import Clock
from hosting.ports.history import CompactHistory
from hosting.ports.units import (
    CloseMessage,
    Committed,
    EndRun,
    KeepState,
    OpenMessage,
    RunChange,
)
from hosting.runtime.writer import Writer

_READ_BACK = (CloseMessage, CompactHistory, KeepState, OpenMessage)
_ROOM_EVENTS = 256
_ROOM_BYTES = 64 * 1024


class Pen:
    """Appends for one run under its lease.

    `room` returns at once while less than 256 events and 64 KiB are not durable, so a fast agent is slowed to the
    speed of the disk and never waits for it event by event; `settle` waits until all is durable.
    """

    def __init__(self, lease: Lease, writer: Writer, serializer: Serializer, clock: Clock) -> None:
        self._lease = lease
        self._writer = writer
        self._serializer = serializer
        self._clock = clock
        self._stamp = Stamp(lease.run.scope.session_id, lease.run.scope.branch_id)
        self._pending = 0
        self._bytes = 0
        self._error: Exception | None = None
        self._ended = False
        self._is_read = False
        self._waiting: list[asyncio.Future[None]] = []
        self.promoted: Lease | None = None
        """The run that left the queue when this one ended, held by this node."""

    @property
    def lease(self) -> Lease:
        """The right to write."""
        return self._lease

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more."""
        return self._pending >= _ROOM_EVENTS or self._bytes >= _ROOM_BYTES

    def put(self, event: Event, *changes: RunChange) -> None:
        """Append an event with the row changes that belong to it, without waiting.

        Raises:
            LeaseLost: another node holds the run, or it has ended here.
            StorageUnavailable: something appended before will never be durable.
        """
        self._check_open()
        self._append(self._encode(event), changes)

    def put_asking(self, event: Event, changes: Callable[[Encoded], tuple[RunChange, ...]]) -> None:
        """Append an event with row changes that are made of its bytes; raises as `put` does."""
        self._check_open()
        encoded = self._encode(event)
        self._append(encoded, changes(encoded))

    def record(self, *changes: RunChange) -> None:
        """Append row changes that no event tells of; raises as `put` does."""
        self._check_open()
        self._pending += 1
        self._writer.append_as(self, None, changes)
        self._note(changes)

    async def room(self) -> None:
        """Wait until there is room for more; raises as `put` does."""
        while self.is_full:
            await self._progress()

    async def settle(self) -> None:
        """Wait until everything appended so far is durable; raises as `put` does."""
        while self._pending:
            await self._progress()
        self._check()
        self._is_read = False

    async def settle_read(self) -> None:
        """Wait until the messages and the state appended so far are durable, if any were; raises as `put` does."""
        if self._is_read:
            await self.settle()

    def close(self) -> None:
        """Take nothing more: whoever still writes hears LeaseLost."""
        self._ended = True

    def durable(self, committed: Committed, count: int, size: int) -> None:
        """See Author.durable."""
        self.promoted = committed.promoted or self.promoted
        self._pending -= count
        self._bytes -= size
        self._wake()

    def broken(self, error: Exception) -> None:
        """See Author.broken."""
        self._error = error
        self._wake()

    def _encode(self, event: Event) -> Encoded:
        return self._serializer.encode(event, self._stamp.at(self._clock()))

    def _append(self, encoded: Encoded, changes: tuple[RunChange, ...]) -> None:
        self._pending += 1
        self._bytes += self._writer.append_as(self, encoded, changes)
        if changes:
            self._ended = any(isinstance(change, EndRun) for change in changes)
            self._note(changes)

    def _note(self, changes: tuple[RunChange, ...]) -> None:
        self._is_read = self._is_read or any(isinstance(change, _READ_BACK) for change in changes)

    def _check_open(self) -> None:
        if self._error is not None:
            raise self._error
        if self._ended:
            # A task that the agent left behind must not write behind the run's last event.
            raise LeaseLost(self._lease.run.id)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    async def _progress(self) -> None:
        self._check()
        # One future for each that waits: cancelling one must not cancel the others.
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
