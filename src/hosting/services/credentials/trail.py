"""The audit's way to the store: beside the requests, so that none waits for it or fails with it."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from events.ids import RunId
from hosting.domain.audit_entry import AuditAction, AuditEntry
from hosting.domain.credential import ALL, Layer
from hosting.domain.errors import StorageUnavailable
from hosting.domain.identity import Identity
from hosting.domain.run import Run
from hosting.ports.clock import Clock
from hosting.ports.credentials import AuditLog

_log = structlog.get_logger("branchline.credentials")

MOST_WAITING: Final = 1000
KEPT: Final = timedelta(days=90)
_AT_ONCE: Final = 100
_MOST_USED: Final = 10_000
_PATIENCE_SECONDS: Final = 1.0
_FLUSH_SECONDS: Final = 3.0
_FORGET_EVERY: Final = timedelta(hours=1)


class Trail:
    """Takes entries at once and writes them down soon; what is too much while the store is away is counted and told."""

    def __init__(self, audit: AuditLog, clock: Clock, new_id: Callable[[], str], most: int = MOST_WAITING) -> None:
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._most = most
        self._waiting: deque[AuditEntry] = deque()
        self._wake = asyncio.Event()
        self._used: OrderedDict[tuple[RunId, str], None] = OrderedDict()
        self._forgot_at: datetime | None = None
        self.dropped = 0
        """How many entries were lost, since nobody could write them down in time."""

    def note(
        self,
        identity: Identity,
        action: AuditAction,
        *,
        layer: Layer = ALL,
        names: tuple[str, ...] = (),
        asked: str | None = None,
    ) -> None:
        """Take an entry about what somebody has just done; it never waits, and never fails."""
        by = identity.key_id or identity.worker_id or str(identity.kind)
        at, tenant = self._clock(), identity.tenant
        self._take(AuditEntry(self._new_id(), tenant, at, action, by, layer, names, asked))

    def note_use(self, run: Run, layer: Layer, name: str) -> None:
        """Take an entry about a credential that a run was given; once for a run, however often it asks."""
        if (run.id, name) in self._used:
            return
        self._used[run.id, name] = None
        if len(self._used) > _MOST_USED:
            self._used.popitem(last=False)
        at, tenant = self._clock(), run.scope.tenant
        self._take(AuditEntry(self._new_id(), tenant, at, AuditAction.USED, run.id, layer, (name,)))

    def _take(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= self._most:
            self.dropped += 1
            if self.dropped == 1:
                _log.error("the audit cannot be written, and entries of it are lost", waiting=len(self._waiting))
            return
        self._waiting.append(entry)
        self._wake.set()

    async def run(self) -> None:
        """Write entries down until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._write()
                await self._forget()
            except StorageUnavailable as error:
                _log.warning("the audit cannot be written now", why=error.why, waiting=len(self._waiting))
                await asyncio.sleep(_PATIENCE_SECONDS)
                self._wake.set()
            except Exception:  # noqa: BLE001 - the outermost loop: what is wrong with the audit must not end the server
                _log.exception("the audit cannot be looked after")

    async def flush(self) -> None:
        """Write down what waits, as far as that goes before the server has to go."""
        with suppress(StorageUnavailable, TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self._write()
        lost = self.dropped + len(self._waiting)
        if lost:
            _log.error("entries of the audit were lost", entries=lost)

    async def _write(self) -> None:
        while self._waiting:
            batch = [self._waiting[at] for at in range(min(_AT_ONCE, len(self._waiting)))]
            await self._add(batch)
            # Only now: an entry whose writing is cut off is written once more, which changes nothing.
            for _ in batch:
                self._waiting.popleft()
        if self.dropped:
            _log.error("the audit is written again; entries of it were lost", entries=self.dropped)
            self.dropped = 0

    async def _add(self, batch: Sequence[AuditEntry]) -> None:
        try:
            await self._audit.add(batch)
        except StorageUnavailable:
            raise
        except Exception:  # noqa: BLE001 - whatever it is
            if len(batch) > 1:
                # It is the fault of one of them.
                for entry in batch:
                    await self._add([entry])
                return
            # What the store will never take must not keep back what comes behind it, nor end the server.
            _log.exception("entries of the audit cannot be written", entries=len(batch))
            self.dropped += len(batch)

    async def _forget(self) -> None:
        now = self._clock()
        if self._forgot_at is None or now - self._forgot_at >= _FORGET_EVERY:
            # First: what goes wrong here is tried again in an hour, not with each entry.
            self._forgot_at = now
            await self._audit.forget(now - KEPT)
