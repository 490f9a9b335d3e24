"""Logs, read from SQL in pages."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, Dialect, Row, Select, bindparam, select

from events.ids import RunId
from events.position import Position
from hosting.adapters.sql.dialect import number_rows, slices
from hosting.adapters.sql.ranges import read_range
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import branches, events
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey
from hosting.ports.store import LogPage, Tail

_FIRST_ROWS = 4
_MOST_ROWS = 256
_BYTES_AT_ONCE = 256 << 10
_TAIL_EVENTS = 256
_TAILS_AT_ONCE = 64

_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_HEADS = select(branches.c.key, (branches.c.next_seq - 1).label("head")).where(branches.c.key.in_(_KEYS))
_TRIMMED = select(branches.c.trimmed).where(branches.c.key == bindparam("branch"))
_ROWS = (
    select(events)
    .where(events.c.branch_key == bindparam("branch"), events.c.last_seq > bindparam("after"))
    .order_by(events.c.last_seq)
    .limit(bindparam("many"))
)
_ROWS_UPTO = _ROWS.where(events.c.first_seq <= bindparam("upto"))
_ROWS_OF_RUN = _ROWS.where(events.c.run_id == bindparam("run"))


class SqlLogReader:
    """See the door, LogReader."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def pages(self, branch: BranchKey, after: int, upto: int | None = None) -> AsyncGenerator[LogPage]:
        """See LogReader.pages."""
        cursor, many = after, _FIRST_ROWS
        while upto is None or cursor < upto:
            found = await self._rows(branch, cursor, upto, many)
            if not found:
                # The head is read after the rows: what was appended in between is looked for once more.
                end = await self._end(branch, upto)
                if cursor >= end:
                    return
                found = await self._rows(branch, cursor, upto, many)
                if not found:
                    raise LogCorrupt(branch, cursor + 1, end)
            for row in found:
                # One by one: what is whole before a damaged row still goes out.
                page = read_range(row, cursor, upto)
                if page.first != cursor + 1 or not page.lines:
                    raise LogCorrupt(branch, cursor + 1, row["last_seq"])
                cursor = page.last
                yield page
            many = _next_rows(found)

    async def run_pages(self, branch: BranchKey, run_id: RunId) -> AsyncGenerator[LogPage]:
        """See LogReader.run_pages."""
        cursor, many = 0, _FIRST_ROWS
        while found := await self._rows(branch, cursor, None, many, run_id):
            for row in found:
                # From the cursor: the row may have been folded since, out of what was read and what was not.
                page = read_range(row, cursor)
                cursor = page.last
                yield page
            many = _next_rows(found)

    async def head(self, branch: BranchKey) -> int | None:
        """See LogReader.head."""
        return (await self.heads([branch])).get(branch)

    async def heads(self, wanted: Collection[BranchKey]) -> dict[BranchKey, int]:
        """See LogReader.heads."""
        heads: dict[BranchKey, int] = {}
        for keys in slices(list(wanted)):
            found = await rows(self._reading, _HEADS, keys=keys)
            heads.update((BranchKey(row.key), row.head) for row in found)
        return heads

    async def trimmed(self, branch: BranchKey) -> int | None:
        """See LogReader.trimmed."""
        found = await rows(self._reading, _TRIMMED, branch=branch)
        return found[0].trimmed if found else None

    async def tails(self, after: Mapping[BranchKey, int]) -> dict[BranchKey, Tail]:
        """See TailReader.tails."""
        wanted, tails = list(after.items()), dict[BranchKey, Tail]()
        for start in range(0, len(wanted), _TAILS_AT_ONCE):
            given = msgspec.json.encode(wanted[start : start + _TAILS_AT_ONCE]).decode()
            found = await self._reading.run(partial(_rows_behind, given=given))
            for key, rows_of_branch in groupby(found, key=lambda row: BranchKey(row.branch_key)):
                tail = _tail(list(rows_of_branch), after[key])
                if tail is not None:
                    tails[key] = tail
        return tails

    async def _end(self, branch: BranchKey, upto: int | None) -> int:
        head = await self.head(branch) or 0
        return head if upto is None else min(head, upto)

    async def _rows(
        self, branch: BranchKey, after: int, upto: int | None, many: int, run_id: RunId | None = None
    ) -> Sequence[Mapping[str, Any]]:
        given: dict[str, object] = {"branch": branch, "after": after, "many": many}
        statement = _ROWS
        if upto is not None:
            statement, given = _ROWS_UPTO, {**given, "upto": upto}
        if run_id is not None:
            statement, given = _ROWS_OF_RUN, {**given, "run": run_id}
        return [dict(row._mapping) for row in await rows(self._reading, statement, **given)]


def _next_rows(found: Sequence[Mapping[str, Any]]) -> int:
    """Return how many rows to ask for next: a row holds one event or hundreds, and all that is asked for is kept."""
    size = sum(len(row["frames"]) for row in found)
    return min(max(_BYTES_AT_ONCE * len(found) // max(size, 1), 1), _MOST_ROWS)


def _rows_behind(connection: Connection, given: str) -> list[Row[Any]]:
    name = connection.dialect.name
    if name not in _BEHIND:
        _BEHIND[name] = _behind(connection.dialect)
    # Sorted here: a database that is told to sort may read a whole index in that order.
    return sorted(connection.execute(_BEHIND[name], {"rows": given}), key=lambda row: (row.branch_key, row.last_seq))


def _behind(dialect: Dialect) -> Select[Any]:
    given = number_rows(dialect, "branch", "after")
    return (
        select(events, branches.c.epoch)
        .join(given, events.c.branch_key == given.c.branch)
        .join(branches, branches.c.key == events.c.branch_key)
        .where(events.c.last_seq > given.c.after, events.c.first_seq <= given.c.after + _TAIL_EVENTS)
    )


_BEHIND: dict[str, Select[Any]] = {}


def _tail(found: Sequence[Row[Any]], after: int) -> Tail | None:
    cursor, lines = after, list[bytes]()
    for row in found:
        try:
            page = read_range(row._mapping, cursor)
        except LogCorrupt:
            # Whoever reads it for itself meets it there; the other branches must not wait for that.
            break
        if page.first != cursor + 1:
            break
        lines += page.lines
        cursor += len(page.lines)
    return Tail(Position(found[0].epoch, after + 1), lines) if lines else None
