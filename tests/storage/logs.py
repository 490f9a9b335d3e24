"""Logs as runs leave them, and what their rows are."""

from collections.abc import Sequence

from hosting.adapters.sql.database import Database
from hosting.domain.branch import Branch
from hosting.domain.lease import Lease
from hosting.domain.scope import BranchKey
from tests.store.units import end_run, execute, held, make_lease, stored


async def run_with_deltas(database: Database, branch: Branch, texts: Sequence[str], *, ended: bool = True) -> Lease:
    """Do a run that says something, each text in a row of its own."""
    lease = await make_lease(database, branch)
    for text in texts:
        await stored(database.events, held(lease, text))
    if ended:
        await stored(database.events, end_run(lease))
    return lease


async def fold_all(database: Database) -> int:
    """Fold until there is nothing to fold, and return how many steps that took."""
    for steps in range(1_000):
        if not await database.upkeep.fold():
            return steps
    raise AssertionError("folding does not come to an end")


async def stored_rows(url: str, branch: BranchKey) -> list[tuple[int, int, str | None]]:
    """Return the first and last number of a log's rows, and how they are packed."""
    found = await execute(
        url, "SELECT first_seq, last_seq, packing FROM events WHERE branch_key = :key ORDER BY last_seq", key=branch
    )
    return [(first, last, packing) for first, last, packing in found]


async def payload_bytes(url: str, branch: BranchKey) -> int:
    """Return how many bytes the columns of a log's rows hold, numbers at eight each."""
    ((size,),) = await execute(
        url,
        "SELECT SUM(LENGTH(frames) + LENGTH(tenant) + COALESCE(LENGTH(run_id), 0) + COALESCE(LENGTH(packing), 0) + 40) "
        "FROM events WHERE branch_key = :key",
        key=branch,
    )
    return int(size)
