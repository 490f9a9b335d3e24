"""Changes that may be refused: something comes to be, or leaves the one state in which it can be left."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, update

from events.serializer import Encoded
from hosting.adapters.sql.births import add_branch, add_fork, add_session
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.fleet_tables import work_items
from hosting.adapters.sql.inbox_rows import add_to_run, pass_on
from hosting.adapters.sql.interactions import settle
from hosting.adapters.sql.interrupts import LOCK_BRANCH, ask_for_interrupt
from hosting.adapters.sql.messages import add_messages
from hosting.adapters.sql.patches import patch_branch, patch_session
from hosting.adapters.sql.queue import enqueue, remove
from hosting.adapters.sql.removals import remove_branches, remove_session
from hosting.adapters.sql.tables import runs
from hosting.adapters.sql.times import to_ticks
from hosting.adapters.sql.work_claims import in_states
from hosting.adapters.sql.work_items import ADD_ITEM, item_row
from hosting.domain.work_item import WorkState
from hosting.ports.results import BuryWork, Observe, RateRun
from hosting.ports.units import (
    AddBranch,
    AddFork,
    AddSession,
    AskForInterrupt,
    Enqueue,
    PatchBranch,
    PatchSession,
    Refusal,
    RemoveBranches,
    RemoveQueued,
    RemoveSession,
    SettleInteraction,
    StartRun,
    Unit,
)
from hosting.ports.words import AddToRun, PassOn

_Outcome = Refusal | Sequence[Encoded]

_RATE_RUN = (
    update(runs)
    .where(
        runs.c.branch_key == bindparam("branch"),
        runs.c.id == bindparam("run"),
        runs.c.completed_at.is_not(None),
        runs.c.rating.is_(None),
    )
    .values(rating=bindparam("given"))
)


_BURY = (
    update(work_items)
    .where(work_items.c.tenant == bindparam("owner"), work_items.c.id == bindparam("item"), in_states(WorkState.DEAD))
    .values(state=WorkState.FAILED)
)


def apply_guarded(connection: Connection, unit: Unit) -> Refusal | list[Encoded]:
    """Apply a unit's changes in order and return its events; the first refusal ends it, and the caller rolls back."""
    events = list(unit.events)
    for change in unit.changes:
        told = _APPLY[type(change)](connection, unit, change)
        if isinstance(told, Refusal):
            return told
        events += told
    return events


def _start_run(connection: Connection, unit: Unit, change: StartRun) -> _Outcome:
    run = change.run
    row = {
        "id": run.id,
        "tenant": run.scope.tenant,
        "branch_key": run.branch_key,
        "agent_id": run.agent_id,
        "message_id": run.message_id,
        "status": run.status,
        "attempts": 0 if change.holder is None else 1,
        "started_at": to_ticks(change.started_at),
        "input": run.input,
        "config": run.config,
        "agent_version": run.agent_version,
        "work_item": run.work_item,
    }
    if not connection.execute(insert_if_absent(connection.dialect.name, runs), row).rowcount:
        return Refusal.RUN_ACTIVE
    if not add_messages(connection, unit.tenant, unit.branch_key, change.messages):
        return Refusal.MESSAGE_EXISTS
    if change.offer is not None:
        connection.execute(ADD_ITEM, item_row(run, change.offer, WorkState.PENDING, change.started_at))
    return ()


def _rate_run(connection: Connection, unit: Unit, change: RateRun) -> _Outcome:
    given = {"branch": unit.branch_key, "run": change.run_id, "given": change.rating}
    return () if connection.execute(_RATE_RUN, given).rowcount else Refusal.RUN_NOT_RATABLE


def _learn_in_the_end(connection: Connection, unit: Unit, change: Observe) -> _Outcome:
    # The event store does so for all units at once: see `learn_from`.
    return ()


def _bury_work(connection: Connection, unit: Unit, change: BuryWork) -> _Outcome:
    # As all others lock them: the branch before what is done on it.
    connection.execute(LOCK_BRANCH, {"branch": unit.branch_key})
    buried = connection.execute(_BURY, {"owner": unit.tenant, "item": change.item_id}).rowcount
    return () if buried else Refusal.WORK_NOT_DEAD


_APPLY: Mapping[type, Callable[[Connection, Unit, Any], _Outcome]] = {
    AddSession: add_session,
    AddBranch: add_branch,
    AddFork: add_fork,
    PatchSession: patch_session,
    PatchBranch: patch_branch,
    RemoveBranches: remove_branches,
    RemoveSession: remove_session,
    StartRun: _start_run,
    Enqueue: enqueue,
    AddToRun: add_to_run,
    PassOn: pass_on,
    RemoveQueued: remove,
    BuryWork: _bury_work,
    AskForInterrupt: ask_for_interrupt,
    RateRun: _rate_run,
    Observe: _learn_in_the_end,
    SettleInteraction: settle,
}
