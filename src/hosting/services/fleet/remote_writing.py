"""Writing for runs that workers of our own do."""

from typing import Final

from events.text import Role
from hosting.domain.admission import NotTheOwner
from hosting.domain.errors import InvalidRequest
from hosting.domain.remote_batch import Batch, MessageTakenBack, Written
from hosting.domain.work_errors import WorkEnded
from hosting.domain.work_item import Holding
from hosting.ports.units import Committed, OpenInteraction, Refusal, Unit
from hosting.services.fleet.remote_runs import RemoteRun, RemoteRuns
from hosting.services.fleet.remote_units import BatchReader

_TRIES: Final = 2


async def write_batch(runs: RemoteRuns, holding: Holding, batch: Batch) -> Written:
    """Write a batch for a run as one unit, unless it was written before.

    Raises:
        WorkItemMissing, NotTheOwner, WorkEnded: it is no run of this worker's, or no longer under this claim.
        InvalidRequest: it says what no run may say; nothing of it is stored.
        StorageUnavailable: nothing of it is stored, or that is not known; it can be sent again.
    """
    try:
        for _ in range(_TRIES):
            run = await runs.opened(holding)
            async with run.lock:
                written = await _write(runs, run, batch)
            if written is not None:
                return written
            # Another node has written for the run since; what it wrote must be read before anything is added.
            runs.forget(run)
        if batch.batch > run.last + 1:
            raise InvalidRequest(f"The next batch of this claim is {run.last + 1} - at `$.batch`.")
        raise await runs.why(holding)
    except (NotTheOwner, WorkEnded):
        if await runs.ended_by(holding, batch):
            return Written(is_repeated=True)
        raise


async def _write(runs: RemoteRuns, run: RemoteRun, batch: Batch) -> Written | None:
    """Write it; None when this node has not read all that is stored of the run."""
    if batch.claim != run.item.claim:
        raise NotTheOwner
    if not batch.cancels:
        if batch.batch <= run.last:
            return Written(is_repeated=True)
        if batch.batch > run.last + 1:
            return None
    reader = BatchReader(runs.fleet.runtime, run, batch, await _ended_messages(runs, run, batch))
    unit = reader.unit()
    await _check_questions(runs, run, unit)
    try:
        outcome = await runs.fleet.runtime.writer.append_to(unit)
    except BaseException:
        # Whether it is stored is not known: whoever sends it again is told by what is.
        runs.forget(run)
        raise
    if outcome is Refusal.NOT_AWAITED:
        return Written(is_awaited=False)
    if not isinstance(outcome, Committed):
        return None
    _learn(runs, run, batch, reader, outcome)
    return Written(position=str(outcome.first))


def _learn(runs: RemoteRuns, run: RemoteRun, batch: Batch, reader: BatchReader, committed: Committed) -> None:
    if batch.cancels:
        return
    run.last = batch.batch
    run.unended = (run.unended | reader.opened) - reader.closed
    run.steps |= reader.begun
    run.begun = run.begun or reader.begins
    if batch.ends is not None:
        runs.forget(run)
        if committed.promoted is not None:
            runs.fleet.runtime.hold(committed.promoted)


async def _ended_messages(runs: RemoteRuns, run: RemoteRun, batch: Batch) -> frozenset[str]:
    """Return which messages the run may take back; only looked up when it wants to."""
    if not any(isinstance(change, MessageTakenBack) for change in batch.changes):
        return frozenset()
    ended = await runs.fleet.runtime.run_reads.messages(run.item.branch_key)
    return frozenset(
        message.id for message in ended if message.run_id == run.item.run_id and message.role is Role.ASSISTANT
    )


async def _check_questions(runs: RemoteRuns, run: RemoteRun, unit: Unit) -> None:
    for change in unit.changes:
        if isinstance(change, OpenInteraction) and await runs.fleet.runtime.run_reads.was_asked(
            run.item.branch_key, change.interaction.id
        ):
            raise InvalidRequest(f"The request id {change.interaction.id!r} was used on this branch before.")
