"""What clients say of sessions and branches changes, each under the lock of its row."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from events.serializer import Encoded
from hosting.adapters.sql.messages import TOUCH_SESSION
from hosting.adapters.sql.rows import to_branch
from hosting.adapters.sql.tables import branches, sessions
from hosting.adapters.sql.times import to_ticks
from hosting.ports.units import PatchBranch, PatchSession, Refusal, Unit

_SESSION = (
    select(sessions.c.metadata)
    .where(sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session"))
    # Whoever adds a branch names the session, and touches it later: those two must not wait for each other.
    .with_for_update(key_share=True)
)
_BRANCH = select(branches).where(branches.c.key == bindparam("branch")).with_for_update()


def patch_session(connection: Connection, unit: Unit, change: PatchSession) -> Refusal | Sequence[Encoded]:
    """Merge metadata into a session's."""
    # As all others do it: the branch, whose unit this is, and then the session.
    connection.execute(_BRANCH, {"branch": unit.branch_key})
    known = connection.scalar(_SESSION, {"owner": unit.tenant, "session": change.session_id})
    if known is None:
        return Refusal.SESSION_MISSING
    merged = _merged(msgspec.json.decode(known), change.metadata)
    connection.execute(
        update(sessions)
        .where(sessions.c.tenant == unit.tenant, sessions.c.id == change.session_id)
        .values(metadata=msgspec.json.encode(merged), last_activity=to_ticks(change.patched_at))
    )
    return ()


def patch_branch(connection: Connection, unit: Unit, change: PatchBranch) -> Refusal | Sequence[Encoded]:
    """Change what is given, and merge metadata into the branch's."""
    row = connection.execute(_BRANCH, {"branch": unit.branch_key}).one_or_none()
    if row is None:
        return Refusal.BRANCH_MISSING
    known, given = to_branch(row), change.given
    patched = replace(
        known,
        name=known.name if given.name is None else given.name,
        description=known.description if given.description is None else given.description,
        tags=known.tags if given.tags is None else given.tags,
        metadata=known.metadata if given.metadata is None else _merged(known.metadata or {}, given.metadata),
    )
    now = to_ticks(change.patched_at)
    connection.execute(
        update(branches)
        .where(branches.c.key == unit.branch_key)
        .values(
            name=patched.name,
            description=patched.description,
            tags=None if patched.tags is None else msgspec.json.encode(patched.tags),
            metadata=None if patched.metadata is None else msgspec.json.encode(patched.metadata),
            last_activity=now,
        )
    )
    connection.execute(TOUCH_SESSION, {"owner": unit.tenant, "session": known.scope.session_id, "now": now})
    return change.tell(patched)


def _merged(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**known, **given}.items() if name not in given or value is not None}
