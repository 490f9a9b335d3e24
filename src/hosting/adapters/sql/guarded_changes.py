"""Changes that may be refused: something comes to be, or leaves the one state in which it can be left."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from events.serializer import Encoded
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.interactions import settle
from hosting.adapters.sql.interrupts import ask_for_interrupt
from hosting.adapters.sql.messages import add_message, touch
from hosting.adapters.sql.queue import enqueue, remove
from hosting.adapters.sql.tables import branches, runs, sessions
from hosting.adapters.sql.times import to_ticks
from hosting.ports.units import (
    AddBranch,
    AddSession,
    AskForInterrupt,
    Enqueue,
    Refusal,
    RemoveQueued,
    SettleInteraction,
    StartRun,
    Unit,
)

_Outcome = Refusal | Sequence[Encoded]


def apply_guarded(connection: Connection, unit: Unit) -> Refusal | list[Encoded]:
    """Apply a unit's changes in order and return its events; the first refusal ends it, and the caller rolls back."""
    events = list(unit.events)
    for change in unit.changes:
        told = _APPLY[type(change)](connection, unit, change)
        if isinstance(told, Refusal):
            return told
        events += told
    return events


def _add_session(connection: Connection, unit: Unit, change: AddSession) -> _Outcome:
    session = change.session
    row = {
        "tenant": session.tenant,
        "id": session.id,
        "created_at": to_ticks(session.created_at),
        "last_activity": to_ticks(session.last_activity),
        "metadata": msgspec.json.encode(session.metadata),
    }
    added = connection.execute(insert_if_absent(connection.dialect.name, sessions), row).rowcount
    return () if added else Refusal.SESSION_EXISTS


def _add_branch(connection: Connection, unit: Unit, change: AddBranch) -> _Outcome:
    branch = change.branch
    row = {
        "key": branch.key,
        "tenant": branch.scope.tenant,
        "session_id": branch.scope.session_id,
        "id": branch.scope.branch_id,
        "epoch": branch.epoch,
        "next_seq": 1,
        "fence": 0,
        "created_at": to_ticks(branch.created_at),
        "last_activity": to_ticks(branch.last_activity),
        "name": branch.name,
        "description": branch.description,
        "tags": None if branch.tags is None else msgspec.json.encode(branch.tags),
        "metadata": None if branch.metadata is None else msgspec.json.encode(branch.metadata),
        "message_count": 0,
    }
    added = connection.execute(insert_if_absent(connection.dialect.name, branches), row).rowcount
    return () if added else Refusal.BRANCH_EXISTS


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
    }
    if not connection.execute(insert_if_absent(connection.dialect.name, runs), row).rowcount:
        return Refusal.RUN_ACTIVE
    for message in change.messages:
        if not add_message(connection, unit.tenant, unit.branch_key, message):
            return Refusal.MESSAGE_EXISTS
    touch(connection, run, change.started_at, change.messages)
    return ()


_APPLY: Mapping[type, Callable[[Connection, Unit, Any], _Outcome]] = {
    AddSession: _add_session,
    AddBranch: _add_branch,
    StartRun: _start_run,
    Enqueue: enqueue,
    RemoveQueued: remove,
    AskForInterrupt: ask_for_interrupt,
    SettleInteraction: settle,
}
