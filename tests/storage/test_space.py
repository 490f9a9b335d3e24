"""A SQLite file that holds less becomes smaller, a piece at a time."""

import sqlite3
from contextlib import closing
from pathlib import Path

from hosting.adapters.sql.address import read_url, sqlite_path
from tests.storage.logs import run_with_deltas
from tests.store.units import execute, make_branch, opened

SPARE_PAGES = 256


async def test_what_is_deleted_is_given_back_to_the_disk(sqlite_url: str) -> None:
    path = sqlite_path(read_url(sqlite_url))
    async with opened(sqlite_url) as database:
        branch = await make_branch(database)
        await run_with_deltas(database, branch, ["x" * 100_000] * 40, ended=False)
        full = pages(path, "page_count")
        spare = full - SPARE_PAGES
        await execute(sqlite_url, "DELETE FROM events WHERE first_seq > 1")
        steps = 0
        while await database.upkeep.give_back():
            steps += 1

    assert full > 1_000
    assert pages(path, "page_count") < full / 2
    assert pages(path, "freelist_count") == SPARE_PAGES
    assert 5 < steps <= spare / 64 + 1
    assert path.stat().st_size < full * 4096 / 2


async def test_a_file_made_before_files_could_shrink_is_used_as_it_is_until_it_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        # Something is in it, as in a file of an older version: nothing but VACUUM changes how it is laid out.
        old.executescript(
            "CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(4000000)); DELETE FROM filler"
        )
    url = f"sqlite+aiosqlite:///{path}"

    async with opened(url) as database:
        before = await database.upkeep.give_back()
    with closing(sqlite3.connect(path)) as old:
        old.executescript("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    async with opened(url) as database:
        await execute(url, "INSERT INTO filler VALUES (zeroblob(4000000))")
        await execute(url, "DELETE FROM filler")
        after = await database.upkeep.give_back()

    assert (before, after) == (False, True)


def pages(path: Path, pragma: str) -> int:
    """Return what a file says of its pages."""
    with closing(sqlite3.connect(path)) as connection:
        ((answer,),) = connection.execute(f"PRAGMA {pragma}").fetchall()
        return int(answer)
