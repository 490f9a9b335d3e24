"""The tables of an empty database."""

from contextlib import AsyncExitStack

from hosting.adapters.sql.database import open_database


async def make_tables(database_url: str) -> None:
    """Make them as a server does at its first start."""
    async with AsyncExitStack() as stack:
        await open_database(database_url, stack, lease_seconds=60)
