"""Writing for runs that workers of our own do."""

from typing import Final

from hosting.domain.admission import NotTheOwner
from hosting.domain.errors import InvalidRequest, StorageUnavailable
from hosting.domain.remote_batch import Batch, Written
from hosting.domain.work_errors import WorkEnded
from hosting.domain.work_item import Holding
from hosting.ports.units import Committed, OpenInteraction, Outcome, Refusal, Unit
from hosting.services.fleet.remote_known import known_for
from hosting.services.fleet.remote_runs import OTHERS_WRITE, RemoteRun, RemoteRuns
from hosting.services.fleet.remote_units import BatchReader

_TRIES: Final = 8


async def write_batch(runs: RemoteRuns, holding: Holding, batch: Batch) -> Written:
    """Write a batch for a run as one unit, unless it was written before.

    Raises:
        WorkItemMissing, NotTheOwner, WorkEnded: it is no run of this worker's, or no longer under this claim.
        InvalidRequest: it says what no run may say; nothing of it is stored.
        StorageUnavailable: nothing of it is stored, or that is not known; it can be sent again.
    """
    try:
        for attempt in range(_TRIES):
            run = await runs.opened(holding)
            async with run.lock:
                written = await _write(runs, run, batch, is_read_anew=bool(attempt))
            if written is not None:
                return written
            # Another node has written for the run since; what it wrote must be read before anything is added.
            runs.forget(run)
        # Not 403: the worker would leave a run that it has.
        raise StorageUnavailable(OTHERS_WRITE)
    except (NotTheOwner, WorkEnded):
        if await runs.ended_by(holding, batch):
            return Written(is_repeated=True)
        raise


async def _write(runs: RemoteRuns, run: RemoteRun, batch: Batch, *, is_read_anew: bool) -> Written | None:
    """Write it; None when this node has not read all that is stored of the run."""
    if batch.claim != run.item.claim:
        if is_read_anew:
            raise NotTheOwner
        return None
    if not batch.cancels:
        if batch.batch <= run.last:
            return Written(is_repeated=True)
        if batch.batch > run.last + 1:
            if is_read_anew:
                raise InvalidRequest(f"The next batch of this claim is {run.last + 1} - at `$.batch`.")
            return None
    reader = BatchReader(runs.fleet.runtime, run, batch, await known_for(runs.fleet.runtime, run, batch))
    unit = reader.unit()
    await _check_questions(runs, run, unit)
    outcome = await _append(runs, run, unit)
    if outcome is Refusal.NOT_AWAITED:
        return Written(is_awaited=False)
    if not isinstance(outcome, Committed):
        return None
    _learn(runs, run, batch, reader, outcome)
    return Written(position=str(outcome.first))


async def _append(runs: RemoteRuns, run: RemoteRun, unit: Unit) -> Outcome:
    try:
        return await runs.fleet.runtime.writer.append_to(unit)
    except StorageUnavailable:
        # Whether it is stored is not known: whoever sends it again is told by what is.
        runs.forget(run)
        raise
    except Exception as error:
        # It can never be stored, as the writer has logged: not now, and not when it is sent again.
        runs.forget(run)
        raise InvalidRequest("The database does not take this batch; perhaps an id in it was used before.") from error
    except BaseException:
        runs.forget(run)
        raise


def _learn(runs: RemoteRuns, run: RemoteRun, batch: Batch, reader: BatchReader, committed: Committed) -> None:
    run.order = reader.order
    if batch.cancels:
        return
    run.last = batch.batch
    run.unended = (run.unended | reader.opened) - reader.closed
    run.said |= reader.opened
    run.steps |= reader.begun
    run.begun = run.begun or reader.begins
    if batch.ends is not None:
        runs.forget(run)
        if committed.promoted is not None:
            runs.fleet.runtime.hold(committed.promoted)


async def _check_questions(runs: RemoteRuns, run: RemoteRun, unit: Unit) -> None:
    for change in unit.changes:
        if isinstance(change, OpenInteraction) and await runs.fleet.runtime.run_reads.was_asked(
            run.item.branch_key, change.interaction.id
        ):
            raise InvalidRequest(f"The request id {change.interaction.id!r} was used on this branch before.")
