"""Changes that may be refused: a session, a branch or a run comes to be."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, update

from hosting.adapters.sql.contents import encode_contents
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.tables import branches, messages, runs, sessions
from hosting.adapters.sql.times import to_ticks
from hosting.domain.message import Message
from hosting.ports.units import AddBranch, AddSession, Refusal, StartRun, Unit

_LONGEST_TITLE = 200

_TOUCH_BRANCH = (
    update(branches)
    .where(branches.c.key == bindparam("branch"))
    .values(
        last_activity=bindparam("now"),
        first_user_text=func.coalesce(branches.c.first_user_text, bindparam("title")),
    )
)
_TOUCH_SESSION = (
    update(sessions)
    .where(sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session"))
    .values(last_activity=bindparam("now"))
)


def apply_guarded(connection: Connection, unit: Unit) -> Refusal | None:
    """Apply a unit's changes in order; the first refusal ends it, and the caller rolls back."""
    for change in unit.changes:
        refusal = _APPLY[type(change)](connection, unit, change)
        if refusal is not None:
            return refusal
    return None


def _add_session(connection: Connection, unit: Unit, change: AddSession) -> Refusal | None:
    session = change.session
    row = {
        "tenant": session.tenant,
        "id": session.id,
        "created_at": to_ticks(session.created_at),
        "last_activity": to_ticks(session.last_activity),
        "metadata": msgspec.json.encode(session.metadata),
    }
    added = connection.execute(insert_if_absent(connection.dialect.name, sessions), row).rowcount
    return None if added else Refusal.SESSION_EXISTS


def _add_branch(connection: Connection, unit: Unit, change: AddBranch) -> Refusal | None:
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
    return None if added else Refusal.BRANCH_EXISTS


def _start_run(connection: Connection, unit: Unit, change: StartRun) -> Refusal | None:
    run = change.run
    row = {
        "id": run.id,
        "tenant": run.scope.tenant,
        "branch_key": run.branch_key,
        "agent_id": run.agent_id,
        "message_id": run.message_id,
        "status": run.status,
        "attempts": 0 if change.holder is None else 1,
        "started_at": to_ticks(run.started_at),
        "input": run.input,
        "config": run.config,
    }
    if not connection.execute(insert_if_absent(connection.dialect.name, runs), row).rowcount:
        return Refusal.RUN_ACTIVE
    for message in change.messages:
        if not _add_message(connection, unit, message):
            return Refusal.MESSAGE_EXISTS
    _touch(connection, change)
    return None


def _add_message(connection: Connection, unit: Unit, message: Message) -> bool:
    row = {
        "tenant": unit.tenant,
        "branch_key": unit.branch_key,
        "id": message.id,
        "run_id": message.run_id,
        "role": message.role,
        "state": message.state,
        "contents": encode_contents(message.contents),
    }
    return connection.execute(insert_if_absent(connection.dialect.name, messages), row).rowcount > 0


def _touch(connection: Connection, change: StartRun) -> None:
    run, now = change.run, to_ticks(change.run.started_at)
    title = change.messages[-1].text[:_LONGEST_TITLE]
    connection.execute(_TOUCH_BRANCH, {"branch": run.branch_key, "now": now, "title": title})
    scope = {"owner": run.scope.tenant, "session": run.scope.session_id, "now": now}
    connection.execute(_TOUCH_SESSION, scope)


_APPLY: Mapping[type, Callable[[Connection, Unit, Any], Refusal | None]] = {
    AddSession: _add_session,
    AddBranch: _add_branch,
    StartRun: _start_run,
}
