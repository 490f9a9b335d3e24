"""Where a worker writes: at its server, which numbers and stores it."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from events.position import Position
from hosting.adapters.remote.batches import batches_of
from hosting.adapters.remote.held import Held, HeldRuns, patiently
from hosting.domain.errors import LeaseLost
from hosting.domain.remote_batch import Batch, Written
from hosting.domain.wire_errors import ServerAway, ServerRefused
from hosting.ports.units import Committed, EndRun, OpenInteraction, Outcome, Refusal, SettleInteraction, Unit
from hosting.ports.wire import Wire

_log = structlog.get_logger("branchline.worker")

_ELSEWHERE: Final = Position("0" * 12, 1)
"""Nobody follows a log at a worker, so nobody asks where in it something is."""
_written = msgspec.json.Decoder(Written).decode


class RemoteEventStore:
    """See the door, EventStore; each unit is written by itself, once, however often it has to be sent."""

    def __init__(self, wire: Wire, held: HeldRuns) -> None:
        self._wire = wire
        self._held = held

    async def commit(self, units: Sequence[Unit]) -> Sequence[Outcome]:
        """See EventStore.commit."""
        return await asyncio.gather(*map(self._commit, units))

    async def _commit(self, unit: Unit) -> Outcome:
        held = self._held.on(unit.branch_key)
        if held is None:
            return Refusal.FENCED
        cancels = any(isinstance(change, SettleInteraction) for change in unit.changes)
        try:
            for batch in batches_of(unit, claim=held.claim, first=held.batch + 1, worker_id=self._wire.worker_id):
                written = await self._send(held, batch)
                held.batch += not cancels
        except LeaseLost:
            # Or it would be shown as held while nobody works on it, and nothing would prolong what it is shown as.
            self._held.lose(held)
            return Refusal.FENCED
        except ServerRefused as refused:
            await self._fail(held, refused)
            return Refusal.FENCED
        if cancels:
            return Committed(_ELSEWHERE, []) if written.is_awaited else Refusal.NOT_AWAITED
        self._learn(held, unit)
        return Committed(_ELSEWHERE, [])

    async def _send(self, held: Held, batch: Batch) -> Written:
        body = msgspec.json.encode(batch)
        return _written(await patiently(held, lambda: self._wire.call("POST", f"{held.path}/units", body)))

    def _learn(self, held: Held, unit: Unit) -> None:
        for change in unit.changes:
            if isinstance(change, OpenInteraction):
                held.questions.add(change.interaction.id)
            elif isinstance(change, EndRun):
                self._held.drop(change.run_id)

    async def _fail(self, held: Held, refused: ServerRefused) -> None:
        """End a run that says what the server does not take, since it would never take it."""
        _log.error("the server refuses what a run says; the run fails", run=held.lease.run.id, why=str(refused))
        said = {"workerId": self._wire.worker_id, "status": "failed", "error": {"message": refused.detail}}
        body = msgspec.json.encode(said)
        try:
            await patiently(held, lambda: self._wire.call("POST", f"{held.path}/status", body))
        except (LeaseLost, ServerAway, ServerRefused) as error:
            _log.error("a run cannot be ended", run=held.lease.run.id, why=str(error))
        self._held.drop(held.lease.run.id)
