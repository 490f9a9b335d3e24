"""What is left of a session in the database."""

from tests.harness.raw_store import RawStore

_OF_BRANCHES = ("runs", "messages", "interactions", "branch_state", "events")
_OF_RUNS = ("steps", "interrupts", "leases")
_COUNTS = {
    "sessions": "SELECT count(*) FROM sessions WHERE id = ?",
    "branches": "SELECT count(*) FROM branches WHERE session_id = ?",
    "session_state": "SELECT count(*) FROM session_state WHERE session_id = ?",
} | {
    table: f"SELECT count(*) FROM {table} WHERE branch_key IN (SELECT key FROM branches WHERE session_id = ?)"
    for table in _OF_BRANCHES
}
_ORPHANS = {
    table: f"SELECT count(*) FROM {table} WHERE branch_key NOT IN (SELECT key FROM branches)" for table in _OF_BRANCHES
} | {table: f"SELECT count(*) FROM {table} WHERE run_id NOT IN (SELECT id FROM runs)" for table in _OF_RUNS}


async def rows_of(store: RawStore, session: str) -> dict[str, int]:
    """Return how many rows a session has in each table; no branch that is gone may have left any."""
    statements = [*_COUNTS.values(), *_ORPHANS.values()]
    sql = "SELECT " + ", ".join(f"({statement})" for statement in statements)
    ((*counts,),) = await store.run(sql, *[session] * len(_COUNTS))
    assert counts[len(_COUNTS) :] == [0] * len(_ORPHANS), dict(zip(_ORPHANS, counts[len(_COUNTS) :], strict=True))
    return dict(zip(_COUNTS, counts, strict=False))
