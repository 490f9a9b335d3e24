"""Logs, read from SQL in pages."""

from collections.abc import AsyncGenerator, Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from events.ids import RunId
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
            pages = await self._read(branch, cursor, upto)
            for page in pages:
                if page.first != cursor + 1:
                    raise LogCorrupt(branch, cursor + 1, page.first - 1)
                cursor = page.last
                yield page
            if not pages:
                return

    async def run_pages(self, branch: BranchKey, run_id: RunId) -> AsyncGenerator[LogPage]:
        """See LogReader.run_pages."""
        cursor = 0
        while True:
            pages = await self._read(branch, cursor, None, run_id)
            for page in pages:
                cursor = page.last
                yield page
            if not pages:
                return

    async def head(self, branch: BranchKey) -> int | None:
        """See LogReader.head."""
        return (await self.heads([branch])).get(branch)

    async def heads(self, wanted: Collection[BranchKey]) -> dict[BranchKey, int]:
        """See LogReader.heads."""
        statement = select(branches.c.key, branches.c.next_seq - 1).where(branches.c.key.in_(wanted))
        with storage_faults():
            async with self._engine.connect() as connection:
                return {BranchKey(key): head for key, head in await connection.execute(statement)}

    async def _read(
        self, branch: BranchKey, after: int, upto: int | None, run_id: RunId | None = None
    ) -> list[LogPage]:
        statement = select(events).where(events.c.branch_key == branch, events.c.last_seq > after)
        if run_id is not None:
            statement = statement.where(events.c.run_id == run_id)
        statement = statement.order_by(events.c.last_seq).limit(_ROWS_AT_ONCE)
        with storage_faults():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        return [page for row in rows if (page := read_range(dict(row), after, upto)).lines]
