"""Logs lose their beginnings: rows of runs that have ended long ago go, and the branch remembers how far."""

from functools import partial
from itertools import accumulate
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, case, delete, func, select, update

from hosting.adapters.sql.idle_sessions import WAITS, idle_since
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import branches, events, runs, sessions
from hosting.adapters.sql.times import to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.ports.retention import Trimming

_BRANCHES_AT_ONCE: Final = 32
_ROWS_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 8 << 20

_IS_OLD: Final[ColumnElement[bool]] = and_(runs.c.status.not_in(WAITS), runs.c.completed_at < bindparam("ended_before"))
_CANDIDATES: Final = (
    select(branches.c.key, branches.c.next_seq, branches.c.trimmed)
    .where(
        branches.c.key > bindparam("behind"),
        branches.c.next_seq - 1 - bindparam("kept_events") > branches.c.trimmed,
        select(runs.c.id).where(runs.c.branch_key == branches.c.key, _IS_OLD).exists(),
    )
    .order_by(branches.c.key)
    .limit(_BRANCHES_AT_ONCE)
)
_IDLE: Final = (
    select(sessions.c.id)
    .where(
        sessions.c.tenant == branches.c.tenant,
        sessions.c.id == branches.c.session_id,
        idle_since(bindparam("idle_since")),
    )
    .exists()
)
# Everything before the last event of a run that ended long ago happened before it: that is old as well.
_PLACES: Final = (
    select(
        events.c.branch_key,
        func.max(case((_IS_OLD, events.c.last_seq))).label("old"),
        func.min(case((_IS_OLD, None), else_=events.c.first_seq)).label("needed"),
    )
    .join(runs, runs.c.id == events.c.run_id)
    .where(events.c.branch_key.in_(bindparam("keys", expanding=True)))
    .group_by(events.c.branch_key)
)
_LOCK: Final = select(branches.c.trimmed).where(branches.c.key == bindparam("branch")).with_for_update()
# Whole rows: what was to be between two of them may have been folded into one meanwhile.
_FIRST_ROWS: Final = (
    select(events.c.last_seq, func.length(events.c.frames).label("size"))
    .where(events.c.branch_key == bindparam("branch"), events.c.last_seq <= bindparam("upto"))
    .order_by(events.c.last_seq)
    .limit(_ROWS_AT_ONCE)
)
_DROP: Final = delete(events).where(events.c.branch_key == bindparam("branch"), events.c.last_seq <= bindparam("last"))
_REMEMBER: Final = update(branches).where(branches.c.key == bindparam("its_key")).values(trimmed=bindparam("its_last"))


class Wish(NamedTuple):
    """The events behind `trimmed` and up to `last` of a branch are to go."""

    branch: int
    trimmed: int
    last: int

    @property
    def events(self) -> int:
        """How many those are, at most: what shares a row with an event that stays, stays with it."""
        return max(0, self.last - self.trimmed)


class SqlRetention:
    """See the door, Retention; it goes over the branches in the order of their keys."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading
        self._behind = -1

    async def trim(self, wanted: Trimming) -> bool:
        """See Retention.trim."""
        wishes = await self.wishes(wanted, self._behind)
        for wish in wishes:
            await self.grant(wish)
        self._behind = wishes[-1].branch if wishes else -1
        return bool(wishes)

    async def wishes(self, wanted: Trimming, behind: int) -> list[Wish]:
        """Return what is to go of the next few branches behind a key, in their order; nothing of most of them."""
        given: dict[str, object] = {"ended_before": to_ticks(wanted.ended_before)}
        found = await rows(self._reading, _candidates(wanted), **given, **_asked(wanted), behind=behind)
        if not found:
            return []
        places = await rows(self._reading, _PLACES, **given, keys=[row.key for row in found])
        upto = {row.branch_key: _last_unneeded(row) for row in places}
        return [
            Wish(row.key, row.trimmed, min(upto.get(row.key, 0), row.next_seq - 1 - wanted.keep_events))
            for row in found
        ]

    async def grant(self, wish: Wish) -> None:
        """Let events go, a small transaction at a time."""
        while wish.events and await self._transactor.run(partial(trim_log, wish=wish)):
            pass


def _candidates(wanted: Trimming) -> Select[Any]:
    statement = _CANDIDATES
    if wanted.tenant is not None:
        statement = statement.where(branches.c.tenant == bindparam("owner"))
    return statement if wanted.idle_since is None else statement.where(_IDLE)


def _asked(wanted: Trimming) -> dict[str, object]:
    asked: dict[str, object] = {"kept_events": wanted.keep_events}
    if wanted.tenant is not None:
        asked["owner"] = wanted.tenant
    if wanted.idle_since is not None:
        asked["idle_since"] = to_ticks(wanted.idle_since)
    return asked


def _last_unneeded(row: Row[Any]) -> int:
    old: int = row.old or 0
    return old if row.needed is None else min(old, row.needed - 1)


def trim_log(connection: Connection, wish: Wish) -> bool:
    """Drop some rows from the front of a log, and say whether there may be more of them."""
    # Locked as the writers and the folding do it: the branch first, then its rows.
    if connection.scalar(_LOCK, {"branch": wish.branch}) is None:
        return False
    found = connection.execute(_FIRST_ROWS, {"branch": wish.branch, "upto": wish.last}).all()
    if not found:
        return False
    # At least one row, however large it is.
    few: int = max(1, sum(size <= _BYTES_AT_ONCE for size in accumulate(row.size for row in found)))
    last = found[few - 1].last_seq
    connection.execute(_DROP, {"branch": wish.branch, "last": last})
    connection.execute(_REMEMBER, {"its_key": wish.branch, "its_last": last})
    return few == _ROWS_AT_ONCE or few < len(found)
