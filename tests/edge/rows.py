"""How many rows there are: the proof that a refused request left nothing behind."""

import contextlib
import sqlite3
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import asyncpg

TABLES = ("sessions", "branches", "runs", "messages", "steps", "events", "leases")
MADE_BY_REQUESTS = ("sessions", "branches", "runs")
"""Those that nothing but a request adds to: a run that an earlier test has left going writes to the others."""


async def count_rows(database_url: str, tables: Sequence[str] = TABLES) -> dict[str, int]:
    """Count the rows of tables, past the server."""
    if database_url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"))) as connection:
            return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    parts = urlsplit(database_url)
    connection = await asyncpg.connect(user="postgres", database=parts.path[1:], host=parse_qs(parts.query)["host"][0])
    try:
        return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
    finally:
        await connection.close()
