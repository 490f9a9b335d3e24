"""Logs, read from SQL in pages."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from events.ids import RunId
from hosting.adapters.sql.dialect import slices
from hosting.adapters.sql.ranges import read_range
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import branches, events
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey
from hosting.ports.store import LogPage

_FIRST_ROWS = 4
_MOST_ROWS = 256
_BYTES_AT_ONCE = 256 << 10

_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_HEADS = select(branches.c.key, (branches.c.next_seq - 1).label("head")).where(branches.c.key.in_(_KEYS))
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
                page = read_range(row)
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
