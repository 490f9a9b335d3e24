"""Sessions that nobody has used for long go, with all that belongs to them."""

from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from events.ids import SessionId
from hosting.adapters.sql.idle_sessions import idle_since
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.removals import remove_session
from hosting.adapters.sql.savepoint import Savepoint
from hosting.adapters.sql.tables import branches, events, sessions
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.trimming import Wish, trim_log
from hosting.domain.scope import BranchKey, TenantId
from hosting.ports.units import Refusal, RemoveSession, Unit

_SESSIONS_AT_ONCE: Final = 100
_ROWS_AT_ONCE: Final = 2_000
_BYTES_AT_ONCE: Final = 8 << 20
"""What can be dropped at once without letting others wait for long."""

_OF_SESSION: Final = branches.c.tenant == bindparam("owner"), branches.c.session_id == bindparam("session")
_IDLE: Final = (
    select(sessions.c.id, sessions.c.last_activity)
    .where(
        sessions.c.tenant == bindparam("owner"),
        sessions.c.id > bindparam("behind"),
        idle_since(bindparam("before")),
    )
    .order_by(sessions.c.id)
    .limit(_SESSIONS_AT_ONCE)
)
_BRANCHES: Final = (
    select(
        branches.c.key,
        branches.c.next_seq,
        select(func.count()).where(events.c.branch_key == branches.c.key).scalar_subquery().label("rows"),
        select(func.coalesce(func.sum(func.length(events.c.frames)), 0))
        .where(events.c.branch_key == branches.c.key)
        .scalar_subquery()
        .label("size"),
    )
    .where(*_OF_SESSION)
    .order_by(branches.c.key)
)
_LOCK_BRANCHES: Final = select(branches.c.key).where(*_OF_SESSION).order_by(branches.c.key).with_for_update()
_SESSION: Final = select(sessions.c.id).where(
    sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session")
)
_LOCK_SESSION: Final = _SESSION.with_for_update()
_IS_IDLE: Final = _SESSION.where(idle_since(bindparam("before")))


class IdleSession(NamedTuple):
    """A session in which nothing happens any more."""

    id: SessionId
    last_activity: datetime


class SqlPruning:
    """Finds and removes the idle sessions of one tenant."""

    def __init__(self, transactor: Transactor, reading: Reading, tenant: TenantId) -> None:
        self._transactor = transactor
        self._reading = reading
        self._tenant = tenant

    async def idle(self, before: datetime, behind: str) -> list[IdleSession]:
        """Return some sessions with no activity since a moment and no run, in the order of their ids behind one."""
        found = await rows(self._reading, _IDLE, owner=self._tenant, before=to_ticks(before), behind=behind)
        return [IdleSession(row.id, from_ticks(row.last_activity)) for row in found]

    async def remove(self, session: SessionId, before: datetime) -> bool:
        """Remove a session; False when something has happened there meanwhile.

        Raises:
            StorageUnavailable: the store cannot be used now; at most the session has lost the beginnings of its logs.
        """
        place = {"owner": self._tenant, "session": session}
        logs = await rows(self._reading, _BRANCHES, **place)
        are_many = sum(log.rows for log in logs) > _ROWS_AT_ONCE or sum(log.size for log in logs) > _BYTES_AT_ONCE
        for log in logs if are_many else ():
            # Others write in between: a log of hours would keep a server from its disk for longer than it waits.
            wish = Wish(log.key, 0, log.next_seq - 1)
            while await self._transactor.run(partial(_trim_idle, place=place, before=to_ticks(before), wish=wish)):
                pass
        return await self._transactor.run(partial(_remove_idle, place=place, before=to_ticks(before)))


def _trim_idle(connection: Connection, place: dict[str, Any], before: int, wish: Wish) -> bool:
    return _is_idle(connection, place, before) and trim_log(connection, wish)


def _remove_idle(connection: Connection, place: dict[str, Any], before: int) -> bool:
    if not _is_idle(connection, place, before):
        return False
    with Savepoint(connection) as savepoint:
        change = RemoveSession(place["session"])
        refused = remove_session(connection, Unit(place["owner"], BranchKey(0), changes=[change]), change)
        if isinstance(refused, Refusal):
            savepoint.undo()
    return not isinstance(refused, Refusal)


def _is_idle(connection: Connection, place: dict[str, Any], before: int) -> bool:
    # Whatever begins there moves a branch's row first, or looks at the session's; it waits for this from here on.
    connection.execute(_LOCK_BRANCHES, place)
    connection.execute(_LOCK_SESSION, place)
    return connection.scalar(_IS_IDLE, {**place, "before": before}) is not None
