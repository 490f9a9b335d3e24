"""The event store on SQL: a batch of units is one transaction, numbered under the branch rows it moves."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar, cast

import structlog
from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from events.ids import RunId
from events.position import Position
from events.serializer import Encoded
from hosting.adapters.sql.claims import First, hold_runs
from hosting.adapters.sql.guarded_changes import apply_guarded
from hosting.adapters.sql.keyed_requests import record_answer, reserve_request
from hosting.adapters.sql.messages import Said, touch
from hosting.adapters.sql.places import Place, allot, wanted, wanted_by_promoted
from hosting.adapters.sql.queue import promote
from hosting.adapters.sql.ranges import range_row
from hosting.adapters.sql.run_changes import apply_run_changes, learn_from
from hosting.adapters.sql.savepoint import Savepoint
from hosting.adapters.sql.tables import branches, events, sessions
from hosting.adapters.sql.transactor import CommitUnknown, Transactor
from hosting.adapters.sql.unknown_commits import was_stored
from hosting.domain.errors import StorageUnavailable
from hosting.domain.lease import Lease
from hosting.domain.scope import BranchKey
from hosting.ports.units import (
    AddBranch,
    AddFork,
    Committed,
    EndRun,
    Failed,
    Outcome,
    PatchBranch,
    PatchSession,
    Refusal,
    RemoveBranches,
    RemoveSession,
    StartRun,
    Unit,
)

_log = structlog.get_logger("branchline.store")

T = TypeVar("T")

# What locks a branch and then its session, or more than one branch.
_OF_THE_TREE: Final = (AddFork, PatchBranch, PatchSession, RemoveBranches, RemoveSession)
_LOCK_BRANCHES: Final = (
    select(branches.c.key)
    .where(branches.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(branches.c.key)
    .with_for_update()
)

# Where the events of a unit would be that leaves no branch to hold them.
_NOWHERE = Position("", 1)


class SqlEventStore:
    """Commits units; the sequence numbers come from the branch rows, locked by the transaction that uses them."""

    def __init__(self, transactor: Transactor, *, patience_seconds: float) -> None:
        self._transactor = transactor
        self._patience_seconds = patience_seconds

    def commit(self, units: Sequence[Unit]) -> Awaitable[Sequence[Outcome]]:
        """See EventStore.commit."""
        whole = self._transactor.run(lambda connection: commit_units(connection, units))
        return self._outcomes(units, whole)

    async def _outcomes(self, units: Sequence[Unit], whole: Awaitable[list[Outcome]]) -> Sequence[Outcome]:
        try:
            return await whole
        except CommitUnknown as unknown:
            outcomes = cast("list[Outcome]", unknown.result)
            if not await was_stored(self._transactor, units, outcomes, within_seconds=self._patience_seconds):
                raise
            return outcomes
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the writer of all branches
            # One unit spoiled the transaction; alone, each can only spoil its own.
            _log.error("a unit cannot be stored", units=len(units), error=repr(error)[:500])
            return [Failed(error)] if len(units) == 1 else [await self._commit_alone(unit) for unit in units]

    async def _commit_alone(self, unit: Unit) -> Outcome:
        try:
            return (await self.commit([unit]))[0]
        except StorageUnavailable as error:
            # Those before it are stored: to say of all that nothing is would be a lie.
            return Failed(error)


def commit_units(connection: Connection, units: Sequence[Unit]) -> list[Outcome]:
    """Write units within the connection's transaction."""
    outcomes: dict[BranchKey, Outcome] = {}
    # In one order everywhere: two writers that touch the same branches and sessions must not wait for each other.
    leased = sorted((unit for unit in units if not unit.is_guarded), key=_lock_order)
    if leased:
        outcomes.update(_commit_leased(connection, leased))
    guarded = sorted((unit for unit in units if unit.is_guarded), key=_lock_order)
    _lock_branches(connection, guarded)
    starting = [unit for unit in guarded if _starts(unit)]
    if starting:
        outcomes.update(_commit_starts(connection, starting))
    for unit in guarded:
        if unit.branch_key not in outcomes:
            outcomes[unit.branch_key] = _commit_guarded(connection, unit)
    learn_from(connection, [unit for unit in units if isinstance(outcomes[unit.branch_key], Committed)])
    return [outcomes[unit.branch_key] for unit in units]


def _commit_leased(connection: Connection, units: Sequence[Unit]) -> dict[BranchKey, Outcome]:
    places = allot(connection, [wanted(unit, len(unit.events)) for unit in units])
    held = [unit for unit in units if unit.branch_key in places]
    apply_run_changes(connection, held, {key: place.first.seq for key, place in places.items()})
    committed = {unit.branch_key: _committed(unit, places[unit.branch_key]) for unit in held}
    _insert_ranges(connection, [(unit, unit.run_id, committed[unit.branch_key]) for unit in held])
    for unit in held:
        ending = next((change for change in unit.changes if isinstance(change, EndRun)), None)
        if ending is not None and places[unit.branch_key].queue_length:
            committed[unit.branch_key] = _promote(connection, unit, ending, committed[unit.branch_key])
    return {unit.branch_key: committed.get(unit.branch_key, Refusal.FENCED) for unit in units}


def _committed(unit: Unit, place: Place) -> Committed:
    return Committed(place.first, place.fill(unit.events), place.fence)


def _promote(connection: Connection, unit: Unit, ending: EndRun, ended: Committed) -> Committed:
    """Give the branch, which a run has just left, to the first in its queue."""
    promoted = promote(connection, unit, ending)
    if promoted is None:
        return ended
    key, holder = unit.branch_key, ending.holder
    place = allot(connection, [wanted_by_promoted(key, len(promoted.events), len(promoted.messages))])[key]
    begun = Committed(place.first, place.fill(promoted.events), place.fence)
    _insert_ranges(connection, [(unit, promoted.run.id, begun)])
    if promoted.run.work_item is not None:
        return Committed(ended.first, [*ended.lines, *begun.lines], place.fence)
    hold_runs(connection, [First(unit.tenant, promoted.run.id, holder, place.fence)])
    lease = Lease(promoted.run, promoted.messages, holder.node, place.fence, attempt=1)
    return Committed(ended.first, [*ended.lines, *begun.lines], place.fence, lease)


def _commit_starts(connection: Connection, units: Sequence[Unit]) -> dict[BranchKey, Outcome]:
    """Begin runs: each is refused by itself, and what all of them need besides is written for all at once."""
    outcomes: dict[BranchKey, Outcome] = {}
    told: dict[BranchKey, Sequence[Encoded]] = {}
    for unit in units:
        applied = _tried(connection, unit, lambda events: events)
        if isinstance(applied, Refusal):
            outcomes[unit.branch_key] = applied
        else:
            told[unit.branch_key] = applied
    begun = [(unit, start) for unit in units if unit.branch_key in told for start in _starts(unit)]
    if not begun:
        return outcomes
    touch(connection, [Said(start.run, start.started_at, start.messages) for _, start in begun])
    # Their rows hold the branches: each is there until this is committed.
    places = allot(connection, [wanted(unit, len(told[unit.branch_key])) for unit, _ in begun])
    committed = {key: Committed(place.first, place.fill(told[key]), place.fence) for key, place in places.items()}
    _insert_ranges(connection, [(unit, unit.run_id, committed[unit.branch_key]) for unit, _ in begun])
    for unit, _ in begun:
        _record(connection, unit, committed[unit.branch_key])
    holders = ((unit, start, start.holder) for unit, start in begun)
    hold_runs(
        connection,
        [
            First(unit.tenant, start.run.id, holder, places[unit.branch_key].fence)
            for unit, start, holder in holders
            if holder is not None
        ],
    )
    return {**outcomes, **committed}


def _starts(unit: Unit) -> list[StartRun]:
    return [change for change in unit.changes if isinstance(change, StartRun)]


def _commit_guarded(connection: Connection, unit: Unit) -> Outcome:
    return _tried(connection, unit, lambda told: _write_guarded(connection, unit, told))


def _tried(connection: Connection, unit: Unit, write: Callable[[Sequence[Encoded]], T | Refusal]) -> T | Refusal:
    """Apply a unit's changes and then write the events that it tells; when either is refused, nothing has changed."""
    try:
        with Savepoint(connection) as savepoint:
            told = Refusal.REQUEST_REPEATED if _is_repeated(connection, unit) else apply_guarded(connection, unit)
            outcome = told if isinstance(told, Refusal) else write(told)
            if isinstance(outcome, Refusal):
                savepoint.undo()
            return outcome
    except IntegrityError:
        # A row names its branch or session: the database refuses it when that is gone.
        gone = _what_is_gone(connection, unit)
        if gone is None:
            raise
        return gone


def _is_repeated(connection: Connection, unit: Unit) -> bool:
    return unit.record is not None and not reserve_request(connection, unit.record.request)


def _record(connection: Connection, unit: Unit, committed: Committed) -> None:
    if unit.record is not None:
        record_answer(connection, unit.record.request.place, unit.record.answer(committed.before))


def _what_is_gone(connection: Connection, unit: Unit) -> Refusal | None:
    made = next((change.branch for change in unit.changes if isinstance(change, AddBranch | AddFork)), None)
    if made is not None:
        place = sessions.c.tenant == unit.tenant, sessions.c.id == made.scope.session_id
        return None if connection.scalar(select(sessions.c.id).where(*place)) else Refusal.SESSION_MISSING
    there = connection.scalar(select(branches.c.key).where(branches.c.key == unit.branch_key))
    return None if there else Refusal.BRANCH_MISSING


def _write_guarded(connection: Connection, unit: Unit, told: Sequence[Encoded]) -> Outcome:
    if any(isinstance(change, RemoveSession) for change in unit.changes):
        return Committed(_NOWHERE, [])
    place = allot(connection, [wanted(unit, len(told))]).get(unit.branch_key)
    if place is None:
        return Refusal.BRANCH_MISSING if unit.fence is None else Refusal.FENCED
    committed = Committed(place.first, place.fill(told), place.fence)
    _insert_ranges(connection, [(unit, unit.run_id, committed)])
    _record(connection, unit, committed)
    return committed


def _lock_branches(connection: Connection, units: Sequence[Unit]) -> None:
    """Lock all branches of a batch, in order and before any session, as a transaction does that deletes some."""
    changes = [change for unit in units for change in unit.changes]
    if len(units) > 1 and any(isinstance(change, _OF_THE_TREE) for change in changes):
        doomed = {key for change in changes if isinstance(change, RemoveBranches) for key in change.keys}
        connection.execute(_LOCK_BRANCHES, {"keys": [*doomed, *(unit.branch_key for unit in units)]})


def _lock_order(unit: Unit) -> tuple[str, int]:
    started = (change.run.scope.session_id for change in unit.changes if isinstance(change, StartRun))
    return next(started, ""), unit.branch_key


def _insert_ranges(connection: Connection, written: Sequence[tuple[Unit, RunId | None, Committed]]) -> None:
    rows = [
        range_row(unit.tenant, unit.branch_key, run_id, committed.first.seq, committed.lines)
        for unit, run_id, committed in written
        if committed.lines
    ]
    if rows:
        connection.execute(insert(events), rows)
