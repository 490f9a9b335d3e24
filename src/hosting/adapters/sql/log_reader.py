"""Logs, read from SQL in pages."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from events.ids import RunId
from hosting.adapters.sql.dialect import slices
from hosting.adapters.sql.faults import storage_faults
from hosting.adapters.sql.ranges import read_range
from hosting.adapters.sql.tables import branches, events
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey
from hosting.ports.store import LogPage

_ROWS_AT_ONCE = 16


class SqlLogReader:
    """See the door, LogReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def pages(self, branch: BranchKey, after: int, upto: int | None = None) -> AsyncGenerator[LogPage]:
        """See LogReader.pages."""
        cursor = after
        while upto is None or cursor < upto:
            rows = await self._rows(branch, cursor, upto)
            if not rows:
                # The head is read after the rows: what was appended in between is looked for once more.
                end = await self._end(branch, upto)
                if cursor >= end:
                    return
                rows = await self._rows(branch, cursor, upto)
                if not rows:
                    raise LogCorrupt(branch, cursor + 1, end)
            for row in rows:
                # One by one: what is whole before a damaged row still goes out.
                page = read_range(row, cursor, upto)
                if page.first != cursor + 1 or not page.lines:
                    raise LogCorrupt(branch, cursor + 1, row["last_seq"])
                cursor = page.last
                yield page

    async def run_pages(self, branch: BranchKey, run_id: RunId) -> AsyncGenerator[LogPage]:
        """See LogReader.run_pages."""
        cursor = 0
        while rows := await self._rows(branch, cursor, None, run_id):
            for row in rows:
                page = read_range(row)
                cursor = page.last
                yield page

    async def head(self, branch: BranchKey) -> int | None:
        """See LogReader.head."""
        return (await self.heads([branch])).get(branch)

    async def heads(self, wanted: Collection[BranchKey]) -> dict[BranchKey, int]:
        """See LogReader.heads."""
        heads: dict[BranchKey, int] = {}
        with storage_faults():
            async with self._engine.connect() as connection:
                for keys in slices(list(wanted)):
                    statement = select(branches.c.key, branches.c.next_seq - 1).where(branches.c.key.in_(keys))
                    heads.update((BranchKey(key), head) for key, head in await connection.execute(statement))
        return heads

    async def _end(self, branch: BranchKey, upto: int | None) -> int:
        head = await self.head(branch) or 0
        return head if upto is None else min(head, upto)

    async def _rows(
        self, branch: BranchKey, after: int, upto: int | None, run_id: RunId | None = None
    ) -> Sequence[Mapping[str, Any]]:
        statement = select(events).where(events.c.branch_key == branch, events.c.last_seq > after)
        if upto is not None:
            statement = statement.where(events.c.first_seq <= upto)
        if run_id is not None:
            statement = statement.where(events.c.run_id == run_id)
        statement = statement.order_by(events.c.last_seq).limit(_ROWS_AT_ONCE)
        with storage_faults():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        return [dict(row) for row in rows]
