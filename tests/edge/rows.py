"""How many rows there are: the proof that a refused request left nothing behind."""

from collections.abc import Sequence

from tests.harness.raw_store import RawStore

TABLES = ("sessions", "branches", "runs", "messages", "steps", "events", "leases")
MADE_BY_REQUESTS = ("sessions", "branches", "runs")
"""Those that nothing but a request adds to: a run that an earlier test has left going writes to the others."""


async def count_rows(database_url: str, tables: Sequence[str] = TABLES) -> dict[str, int]:
    """Count the rows of tables, past the server."""
    store = RawStore(database_url)
    return {table: (await store.run(f"SELECT count(*) FROM {table}"))[0][0] for table in tables}
