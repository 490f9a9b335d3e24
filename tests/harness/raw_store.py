"""The database behind a server's back: read and damaged with plain drivers."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import asyncpg


class RawStore:
    """Runs SQL on a server's database; `?` stands for an argument on both kinds."""

    def __init__(self, database_url: str) -> None:
        self._is_sqlite = database_url.startswith("sqlite")
        self._address = (
            database_url.removeprefix("sqlite+aiosqlite:///")
            if self._is_sqlite
            else database_url.replace("postgresql+asyncpg://", "postgresql://")
        )

    async def run(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        if self._is_sqlite:
            return await asyncio.to_thread(self._run_sqlite, sql, arguments)
        connection = await asyncpg.connect(self._address)
        try:
            return [tuple(row) for row in await connection.fetch(_numbered(sql), *arguments)]
        finally:
            await connection.close()

    async def ranges(self, session: str, branch: str = "main") -> list[tuple[int, int]]:
        """Return first and last number of each row of a branch's log: what was committed together."""
        rows = await self.run(
            "SELECT first_seq, last_seq FROM events JOIN branches ON branches.key = branch_key "
            "WHERE session_id = ? AND id = ? ORDER BY first_seq",
            session,
            branch,
        )
        return [(first, last) for first, last in rows]

    async def head(self, session: str, branch: str = "main") -> int:
        """Return the number of the last committed event."""
        return (await self.ranges(session, branch))[-1][1]

    def _run_sqlite(self, sql: str, arguments: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._address, timeout=10)) as connection, connection:
            return connection.execute(sql, arguments).fetchall()


def _numbered(sql: str) -> str:
    first, *others = sql.split("?")
    return first + "".join(f"${number}{piece}" for number, piece in enumerate(others, 1))
