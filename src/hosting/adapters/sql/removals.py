"""Branches and sessions go, with everything that hangs on them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from events.runs import RunStatus
from events.serializer import Encoded
from hosting.adapters.sql.rows import to_branch
from hosting.adapters.sql.tables import branches, events, runs, sessions
from hosting.adapters.sql.tree import relatives_of
from hosting.ports.units import Refusal, RemoveBranches, RemoveSession, Unit

_KEYS: Any = bindparam("keys", expanding=True)
_LOCK_SESSION = (
    select(sessions.c.id)
    .where(sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session"))
    .with_for_update()
)
_OF_SESSION = branches.c.tenant == bindparam("owner"), branches.c.session_id == bindparam("session")
_LOCK_BRANCHES = (
    select(branches.c.key, branches.c.id).where(branches.c.key.in_(_KEYS)).order_by(branches.c.key).with_for_update()
)
_ALL = select(branches.c.key).where(*_OF_SESSION)
_LOCK_ALL = _ALL.order_by(branches.c.key).with_for_update()
_OTHER_FORK = select(branches.c.key).where(
    *_OF_SESSION,
    branches.c.forked_from.in_(bindparam("sources", expanding=True)),
    branches.c.key.not_in(_KEYS),
)
_RUNS_OR_WAITS = select(runs.c.id).where(runs.c.status.in_((RunStatus.ACTIVE, RunStatus.QUEUED))).limit(1)
_BUSY = _RUNS_OR_WAITS.where(runs.c.branch_key.in_(_KEYS))
_ANY_BUSY = _RUNS_OR_WAITS.where(runs.c.branch_key.in_(_ALL))
_BRANCH = select(branches).where(branches.c.key == bindparam("branch"))
_DROP_EVENTS = delete(events).where(events.c.branch_key.in_(_KEYS))
_DROP_ALL_EVENTS = delete(events).where(events.c.branch_key.in_(_ALL))
_DROP_BRANCHES = delete(branches).where(branches.c.key.in_(_KEYS))
_DROP_SESSION = delete(sessions).where(sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session"))


def remove_branches(connection: Connection, unit: Unit, change: RemoveBranches) -> Refusal | Sequence[Encoded]:
    """Remove branches that are idle and have no forks beside each other."""
    keys = sorted(change.keys)
    # Locked before anything is looked at: neither a run nor a fork can begin on them from here on. With their source,
    # whose log tells of it: two who delete within each other would wait for each other, if one came to it only then.
    locked = connection.execute(_LOCK_BRANCHES, {"keys": [*keys, unit.branch_key]}).all()
    found = [row for row in locked if row.key in change.keys]
    if len(found) < len(keys):
        return Refusal.BRANCH_MISSING
    place = {"owner": unit.tenant, "session": change.session_id}
    forks = {**place, "keys": keys, "sources": sorted(row.id for row in found)}
    if connection.scalar(_OTHER_FORK.limit(1), forks) is not None:
        return Refusal.HAS_CHILDREN
    if connection.scalar(_BUSY, {"keys": keys}) is not None:
        return Refusal.RUN_ACTIVE
    connection.execute(_DROP_EVENTS, {"keys": keys})
    connection.execute(_DROP_BRANCHES, {"keys": keys})
    return _told(connection, unit, change)


def remove_session(connection: Connection, unit: Unit, change: RemoveSession) -> Refusal | Sequence[Encoded]:
    """Remove a session whose branches are all idle."""
    place = {"owner": unit.tenant, "session": change.session_id}
    # As all others do it, the branches first and then the session, or they would wait for each other; and then those
    # branches that have come to be in between, which none can any more.
    connection.execute(_LOCK_ALL, place)
    if connection.scalar(_LOCK_SESSION, place) is None:
        return Refusal.SESSION_MISSING
    connection.execute(_LOCK_ALL, place)
    if connection.scalar(_ANY_BUSY, place) is not None:
        return Refusal.RUN_ACTIVE
    connection.execute(_DROP_ALL_EVENTS, place)
    connection.execute(_DROP_SESSION, place)
    return ()


def _told(connection: Connection, unit: Unit, change: RemoveBranches) -> Refusal | Sequence[Encoded]:
    if change.tell is None:
        return ()
    source = connection.execute(_BRANCH, {"branch": unit.branch_key}).one_or_none()
    if source is None:
        return Refusal.BRANCH_MISSING
    origin = to_branch(source)
    return change.tell(origin, relatives_of(connection, origin))
