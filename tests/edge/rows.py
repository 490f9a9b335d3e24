"""How many rows there are: the proof that a refused request left nothing behind."""

import contextlib
import sqlite3
from urllib.parse import parse_qs, urlsplit

import asyncpg

TABLES = ("sessions", "branches", "runs", "messages", "steps", "events", "leases")


async def count_rows(database_url: str) -> dict[str, int]:
    """Count the rows of each table, past the server."""
    if database_url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"))) as connection:
            return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
    parts = urlsplit(database_url)
    connection = await asyncpg.connect(user="postgres", database=parts.path[1:], host=parse_qs(parts.query)["host"][0])
    try:
        return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}
    finally:
        await connection.close()
