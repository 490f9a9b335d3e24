"""A log is read as it was written, from anywhere, and damage is told instead of handed out."""

import asyncio
from typing import Any

import pytest

from events.ids import RunId
from hosting.adapters.sql.database import Database
from hosting.domain.branch import Branch
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey
from tests.store.units import (
    add_notes,
    end_run,
    execute,
    held,
    log,
    make_branch,
    make_lease,
    pages,
    said,
    stored,
)

SIZES = (1, 3, 1, 2, 5, 1, 4)
HEAD = 1 + sum(SIZES)


async def make_log(database: Database, session_id: str = "s1") -> Branch:
    """Store a log of rows with different numbers of events."""
    branch = await make_branch(database, session_id)
    for size in SIZES:
        await stored(database.events, add_notes(branch, *(f"{size}.{index}" for index in range(size))))
    return branch


async def test_every_stretch_of_a_log_is_read_exactly(database: Database) -> None:
    branch = await make_log(database)
    whole = await log(database, branch)
    assert len(whole) == HEAD

    for after in range(HEAD + 2):
        for upto in (None, *range(HEAD + 2)):
            read = await log(database, branch, after, upto)
            assert read == whole[after:upto], (after, upto)


async def test_a_log_of_many_rows_is_read_in_order_and_by_pages(database: Database) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)
    await asyncio.gather(*(database.events.commit([held(lease, str(index))]) for index in range(100)))

    read = await pages(database, branch)

    assert len(read) == 102
    assert sorted(map(str, range(100))) == sorted(said(await log(database, branch))[2:])


async def test_a_reader_sees_what_is_appended_while_it_reads(database: Database) -> None:
    branch = await make_log(database)
    read: list[bytes] = []

    async for page in database.log.pages(branch.key, 0):
        read += page.lines
        if page.first == 1:
            await stored(database.events, add_notes(branch, "while it reads"))

    assert said(read)[-1] == "while it reads"
    assert read == await log(database, branch)


async def test_the_events_of_one_run_are_read_alone(database: Database) -> None:
    branch = await make_branch(database)
    for text in ("a", "b"):
        lease = await make_lease(database, branch)
        await stored(database.events, held(lease, f"{text}1", f"{text}2"))
        await stored(database.events, add_notes(branch, "between"))
        await stored(database.events, end_run(lease))

    lines = [line async for page in database.log.run_pages(branch.key, lease.run.id) for line in page.lines]

    assert said(lines) == ["", "b1", "b2", ""]
    assert [page async for page in database.log.run_pages(branch.key, RunId("run_unknown"))] == []


async def test_the_heads_of_branches_are_told_and_the_missing_left_out(database: Database) -> None:
    branch, other = await make_log(database), await make_branch(database, "s2")

    heads = await database.log.heads([branch.key, other.key, BranchKey(1)])

    assert heads == {branch.key: HEAD, other.key: 1}
    assert await database.log.head(branch.key) == HEAD
    assert await database.log.head(BranchKey(1)) is None
    assert await database.log.heads([]) == {}
    assert await database.log.heads([*map(BranchKey, range(40_000)), branch.key]) == {branch.key: HEAD}


TEXTS = [
    "a\x00b",
    "\x00",
    "🌿👩👩👧",
    "\u2028\u2029\x85\r\n\t\x7f\x1b",
    "\ufffe\uffff\U0010ffff",
    "x" * (1 << 20),
    '"\\',
    "",
]


async def test_any_text_comes_back_as_it_was(database: Database) -> None:
    branch = await make_branch(database)

    committed = await stored(database.events, add_notes(branch, *TEXTS))

    assert said(await log(database, branch)) == ["", *TEXTS]
    assert committed.lines == (await log(database, branch))[1:]


async def test_a_flipped_byte_is_told_and_nothing_of_its_row_handed_out(
    database: Database, database_url: str, subtests: pytest.Subtests
) -> None:
    for where, part in {"first": 0.0, "middle": 0.5, "last": 1.0}.items():
        with subtests.test(where):
            branch = await make_log(database, where)
            damaged = await frames_of(database_url, branch, last_seq=8)
            index = int(part * (len(damaged) - 1))
            flipped = damaged[:index] + bytes([damaged[index] ^ 1]) + damaged[index + 1 :]
            await update(database_url, branch, 8, frames=flipped)
            before = await log(database, branch, 0, 6)

            read: list[bytes] = []
            with pytest.raises(LogCorrupt, match="7 to 8"):
                await read_into(read, database, branch)

            assert before == read
            with pytest.raises(LogCorrupt):
                await log(database, branch, 7)
            assert len(await log(database, branch, 8)) == HEAD - 8


async def test_a_row_that_says_something_else_than_its_checksum_is_told(
    database: Database, database_url: str, subtests: pytest.Subtests
) -> None:
    for change in ({"first_seq": 6}, {"checksum": 1}, {"frames": b""}):
        with subtests.test(str(change)):
            branch = await make_log(database, next(iter(change)))
            await update(database_url, branch, 8, **change)

            with pytest.raises(LogCorrupt):
                await log(database, branch)


async def test_a_row_of_another_branch_does_not_pass_for_this_ones(database: Database, database_url: str) -> None:
    branch, other = await make_log(database), await make_branch(database, "s2")
    foreign = await frames_of(database_url, other, last_seq=1)
    checksum = await execute(database_url, "SELECT checksum FROM events WHERE branch_key = :key", key=other.key)
    await update(database_url, branch, 1, frames=foreign, checksum=checksum[0][0])

    with pytest.raises(LogCorrupt):
        await log(database, branch)


async def test_a_deleted_row_is_told(database: Database, database_url: str, subtests: pytest.Subtests) -> None:
    for last_seq in (1, 8, HEAD):
        with subtests.test(str(last_seq)):
            branch = await make_log(database, f"s{last_seq}")
            await execute(
                database_url,
                "DELETE FROM events WHERE branch_key = :key AND last_seq = :last",
                key=branch.key,
                last=last_seq,
            )

            for upto in (HEAD, None):
                with pytest.raises(LogCorrupt):
                    await log(database, branch, 0, upto)


async def read_into(read: list[bytes], database: Database, branch: Branch) -> None:
    """Read a log as far as it goes."""
    async for page in database.log.pages(branch.key, 0):
        read += page.lines


async def frames_of(url: str, branch: Branch, last_seq: int) -> bytes:
    """Return the bytes of a row of the log."""
    rows = await execute(
        url, "SELECT frames FROM events WHERE branch_key = :key AND last_seq = :last", key=branch.key, last=last_seq
    )
    return bytes(rows[0][0])


async def update(url: str, branch: Branch, last_seq: int, **values: Any) -> None:
    """Change a row of the log."""
    assignments = ", ".join(f"{column} = :{column}" for column in values)
    await execute(
        url,
        f"UPDATE events SET {assignments} WHERE branch_key = :key AND last_seq = :last",
        key=branch.key,
        last=last_seq,
        **values,
    )
