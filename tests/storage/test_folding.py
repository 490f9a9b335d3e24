"""What has ended is stored smaller, and the same events are read from everywhere in it, also meanwhile."""

import asyncio
from dataclasses import replace
from random import Random

from events.ids import RunId
from events.position import Position
from hosting.adapters.sql.database import Database
from hosting.adapters.sql.folding import SqlFolding
from hosting.adapters.sql.transactor import T, Work
from hosting.adapters.sql.unknown_commits import was_stored
from hosting.domain.branch import Branch
from hosting.ports.units import CloseMessage
from tests.storage.logs import fold_all, run_with_deltas, stored_rows
from tests.store.units import (
    add_notes,
    execute,
    held,
    log,
    make_branch,
    make_lease,
    said,
    stored,
    user_message,
)


async def lines_of_run(database: Database, branch: Branch, run_id: RunId) -> list[bytes]:
    return [line async for page in database.log.run_pages(branch.key, run_id) for line in page.lines]


async def test_an_ended_run_becomes_one_row_that_reads_the_same_from_every_place(
    database: Database, database_url: str
) -> None:
    branch = await make_branch(database)
    lease = await run_with_deltas(database, branch, [f"word {index} " * 5 for index in range(40)])
    before, of_run = await log(database, branch), await lines_of_run(database, branch, lease.run.id)

    await fold_all(database)

    assert await stored_rows(database_url, branch.key) == [(1, 1, None), (2, 43, "zlib")]
    for after in range(len(before) + 1):
        for upto in (None, after, after + 1, after + 7, len(before)):
            assert before[after:upto] == await log(database, branch, after, upto), (after, upto)
    assert of_run == await lines_of_run(database, branch, lease.run.id)
    assert not await database.upkeep.fold()


async def test_an_active_run_is_left_alone_until_a_long_message_ends(database: Database, database_url: str) -> None:
    branch = await make_branch(database)
    lease = await run_with_deltas(database, branch, ["text " * 20] * 20, ended=False)
    await fold_all(database)
    unfolded = await stored_rows(database_url, branch.key)

    await stored(database.events, held(lease, "that was it", changes=[CloseMessage(user_message("text " * 400))]))
    before = await log(database, branch)
    await fold_all(database)

    assert len(unfolded) == 22
    assert await stored_rows(database_url, branch.key) == [(1, 1, None), (2, 23, "zlib")]
    await stored(database.events, held(lease, "and on"))
    assert before == (await log(database, branch))[:-1]


async def test_only_rows_of_one_run_become_one(database: Database, database_url: str) -> None:
    branch = await make_branch(database)
    first = await run_with_deltas(database, branch, ["a" * 50] * 3, ended=False)
    await stored(database.events, add_notes(branch, "between"))
    for text in ("b", "c"):
        await stored(database.events, held(first, text * 60))
    await stored(database.events, held(first, changes=[CloseMessage(user_message("x" * 2000))]))
    before = await log(database, branch)

    await fold_all(database)

    assert [(first, last) for first, last, _ in await stored_rows(database_url, branch.key)] == [
        (1, 1),
        (2, 5),
        (6, 6),
        (7, 8),
    ]
    assert before == await log(database, branch)
    assert said(await lines_of_run(database, branch, first.run.id)) == ["", *["a" * 50] * 3, "b" * 60, "c" * 60]


async def test_a_folded_row_holds_a_thousand_events_at_most(database: Database, database_url: str) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)
    for _ in range(25):
        await stored(database.events, held(lease, *["word"] * 90))
    await stored(database.events, held(lease, "x" * 700_000))
    await stored(database.events, held(lease, "and", changes=[CloseMessage(user_message("x" * 2000))]))
    before = await log(database, branch)

    await fold_all(database)

    rows = await stored_rows(database_url, branch.key)
    assert max(last - first + 1 for first, last, _ in rows) <= 1_000
    assert len(rows) == 6
    assert before == await log(database, branch)


async def test_a_reader_in_the_middle_of_what_is_folded_goes_on_where_it_was(database: Database) -> None:
    branch = await make_branch(database)
    lease = await run_with_deltas(database, branch, [str(index) for index in range(60)])
    before, of_run = await log(database, branch), await lines_of_run(database, branch, lease.run.id)
    readers = database.log.pages(branch.key, 0), database.log.run_pages(branch.key, lease.run.id)
    # Not past the rows that they have asked for at first.
    begun = [[line for _ in range(3) for line in (await anext(reader)).lines] for reader in readers]

    await fold_all(database)

    rest = [[line async for page in reader for line in page.lines] for reader in readers]
    assert [before, of_run] == [first + more for first, more in zip(begun, rest, strict=True)]


async def test_readers_and_writers_go_on_while_everything_is_folded(database: Database, database_url: str) -> None:
    branches = [await make_branch(database, f"s{index}") for index in range(6)]
    stop = asyncio.Event()

    async def write(branch: Branch) -> None:
        for index in range(5):
            await run_with_deltas(database, branch, [f"{index} {number}" for number in range(12)])

    async def read(branch: Branch) -> None:
        seen: list[bytes] = []
        while not stop.is_set():
            now = await log(database, branch)
            assert seen == now[: len(seen)]
            seen = now
            await asyncio.sleep(0)

    async def fold() -> None:
        while not stop.is_set():
            await database.upkeep.fold()

    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(read(branch)) for branch in branches]
        beside.append(tasks.create_task(fold()))
        await asyncio.gather(*(write(branch) for branch in branches))
        stop.set()

    await fold_all(database)
    for branch in branches:
        assert len(await log(database, branch)) == 1 + 5 * 14
        assert [packing for _, _, packing in await stored_rows(database_url, branch.key)] == [None, *["zlib"] * 5]


async def test_two_who_fold_the_same_rows_fold_them_once(database: Database, database_url: str) -> None:
    branch = await make_branch(database)
    await run_with_deltas(database, branch, ["some words"] * 50)
    before = await log(database, branch)
    others = [SqlFolding(database._transactor, database._reading, Random(seed)) for seed in range(4)]

    await asyncio.gather(*(other.fold() for other in others))

    assert await stored_rows(database_url, branch.key) == [(1, 1, None), (2, 53, "zlib")]
    assert before == await log(database, branch)


async def test_a_commit_that_nobody_answered_is_found_in_the_row_that_it_was_folded_into(database: Database) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)
    unit = held(lease, "perhaps")
    await stored(database.events, held(lease, "before"))
    committed = await stored(database.events, unit)
    other = replace(committed, lines=[committed.lines[0].replace(b"perhaps", b"another")])
    later = replace(committed, first=Position(committed.first.epoch, committed.first.seq + 5))
    await stored(database.events, held(lease, "behind", changes=[CloseMessage(user_message("x" * 2000))]))
    await fold_all(database)

    found = [
        await was_stored(database._transactor, [unit], [outcome], within_seconds=5)
        for outcome in (committed, other, later)
    ]

    assert found == [True, False, False]


async def test_damaged_rows_are_left_as_they_are_and_the_rest_is_folded(database: Database, database_url: str) -> None:
    branch = await make_branch(database)
    for text in ("a", "b", "c"):
        await run_with_deltas(database, branch, [text * 80] * 5)
    await execute(database_url, "UPDATE events SET checksum = 1 WHERE last_seq = 11")

    await fold_all(database)

    rows = await stored_rows(database_url, branch.key)
    assert [row for row in rows if row[2]] == [(2, 8, "zlib"), (16, 22, "zlib")]
    assert len(rows) == 1 + 1 + 7 + 1


async def test_a_branch_that_is_deleted_while_it_is_folded_keeps_no_other_from_being_folded(
    database: Database, database_url: str
) -> None:
    deleted, other = await make_branch(database), await make_branch(database, "s2")
    for branch in (deleted, other):
        await run_with_deltas(database, branch, ["some words"] * 30)
    before = await log(database, other)
    folding = SqlFolding(_After(database, database_url, deleted.key), database._reading, Random(1))

    while await folding.fold():
        pass

    assert await stored_rows(database_url, deleted.key) == []
    assert await stored_rows(database_url, other.key) == [(1, 1, None), (2, 33, "zlib")]
    assert await log(database, other) == before


class _After:
    """Runs what is written only after a branch was deleted."""

    def __init__(self, database: Database, url: str, branch: int) -> None:
        self._transactor = database._transactor
        self._url = url
        self._branch = branch

    async def run(self, work: Work[T]) -> T:
        for table in ("events", "runs", "messages", "branches"):
            name = "key" if table == "branches" else "branch_key"
            await execute(self._url, f"DELETE FROM {table} WHERE {name} = {self._branch}")
        return await self._transactor.run(work)
