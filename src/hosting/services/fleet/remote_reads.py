"""What a worker of our own reads of a run that it has."""

from collections.abc import Collection, Sequence

from msgspec import Raw

from hosting.domain.credential_errors import SealBroken, SealKeyMissing
from hosting.domain.remote_run import (
    KnownMessage,
    KnownPast,
    KnownQuestion,
    KnownStep,
    KnownWish,
    Seen,
    Settled,
    TakenRun,
    Watched,
)
from hosting.domain.run import Run
from hosting.domain.work_item import Holding, WorkItem
from hosting.domain.worker import Worker
from hosting.ports.work import Claim
from hosting.runtime.run_secrets import opened_config
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.remote_runs import RemoteRuns


def taken(fleet: Fleet, claim: Claim, batch: int) -> TakenRun:
    """Show a run to the worker that has it, and goes on behind this batch."""
    item, lease, run = claim.item, claim.lease, claim.lease.run
    return TakenRun(
        claim=item.claim,
        batch=batch,
        run_id=run.id,
        tenant=run.scope.tenant,
        session_id=run.scope.session_id,
        branch_id=run.scope.branch_id,
        agent_id=run.agent_id,
        agent_name=item.agent_name,
        message_id=run.message_id,
        started_at=run.started_at,
        input=[KnownMessage.of(message) for message in lease.input],
        config=Raw(_config(fleet, run)),
        turn_id=run.turn_id,
        trace_id=run.trace_id,
        attempt=lease.attempt,
        max_attempts=max(fleet.attempts, lease.attempt),
        lease_seconds=fleet.lease_seconds,
        interrupts=[KnownWish.of(item.id, wish) for wish in lease.interrupts],
    )


def _config(fleet: Fleet, run: Run) -> bytes:
    try:
        return opened_config(fleet.runtime.cipher, run)
    except (SealBroken, SealKeyMissing):
        # The worker cannot open it either, and ends the run with that.
        return run.config


async def past_of(runs: RemoteRuns, holding: Holding) -> KnownPast:
    """Return what a run had done; raises as RemoteRuns.item does."""
    item, reads = await runs.item(holding), runs.fleet.runtime.run_reads
    return KnownPast(
        steps=[KnownStep.of(step) for step in await reads.steps(item.run_id)],
        questions=[KnownQuestion.of(asked) for asked in await reads.interactions(item.run_id)],
        open_messages=[KnownMessage.of(message) for message in await reads.open_messages(item.run_id)],
    )


async def history_of(runs: RemoteRuns, holding: Holding) -> list[KnownMessage]:
    """Return the conversation of a run's branch; raises as RemoteRuns.item does."""
    item = await runs.item(holding)
    return [KnownMessage.of(message) for message in await runs.fleet.runtime.run_reads.messages(item.branch_key)]


async def state_of(runs: RemoteRuns, holding: Holding, names: Collection[str], *, of_session: bool) -> dict[str, bytes]:
    """Return what is kept under these names; raises as RemoteRuns.item does."""
    item = await runs.item(holding)
    return await runs.fleet.runtime.run_reads.state(item.branch_key, item.scope, names, of_branch=not of_session)


async def question_of(runs: RemoteRuns, holding: Holding, request_id: str) -> tuple[bool, KnownQuestion | None]:
    """Say whether a question was ever asked on a run's branch, and return it once it is open no more."""
    item, reads = await runs.item(holding), runs.fleet.runtime.run_reads
    settled = await reads.settled(item.branch_key, request_id)
    if settled is None:
        return await reads.was_asked(item.branch_key, request_id), None
    return True, KnownQuestion.of(settled)


async def look(runs: RemoteRuns, worker: Worker, watched: Sequence[Watched]) -> Seen:
    """Return what became of the sessions that a worker believes to have, and which it has."""
    held = {item.id: item for item in await runs.fleet.work.held(worker.tenant, worker.id)}
    known = {str(item_id): item for item_id, item in held.items()}
    kept = [(each, known[each.session_id]) for each in watched if _is_kept(each, known.get(each.session_id))]
    still = {each.session_id for each, _ in kept}
    of_runs = {item.run_id: item.id for _, item in kept}
    wishes = await runs.watch.interrupts(list(of_runs)) if of_runs else []
    return Seen(
        lost=[each.session_id for each in watched if each.session_id not in still],
        held=list(known),
        interrupts=[KnownWish.of(of_runs[wish.run_id], wish) for wish in wishes],
        settled=await _settled(runs, kept),
    )


def _is_kept(watched: Watched, item: WorkItem | None) -> bool:
    return item is not None and item.claim == watched.claim


async def _settled(runs: RemoteRuns, kept: Sequence[tuple[Watched, WorkItem]]) -> list[Settled]:
    wanted = {request_id for watched, _ in kept for request_id in watched.questions}
    hinted = await runs.watch.settled_among(wanted) if wanted else set()
    reads = runs.fleet.runtime.run_reads
    return [
        Settled(session_id=watched.session_id, request_id=request_id)
        for watched, item in kept
        for request_id in watched.questions
        # The hint is for all tenants; what is told is of the worker's own runs.
        if request_id in hinted and await reads.settled(item.branch_key, request_id) is not None
    ]
