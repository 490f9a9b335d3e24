"""A follower hands out exactly the log from its cursor on, out of the ring or out of the store, and then waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.control import CloseReason, ResetReason
from events.position import Position
from hosting.domain.branch import Branch
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey
from hosting.runtime.follow import Follower, Pause, start_of
from hosting.runtime.rings import Rings
from tests.runtime.bench import WITHIN_SECONDS, Bench, benched, framed, idle
from tests.store.units import add_notes, execute, log, make_branch, new_branch, stored

NUMBERS = count()


@pytest.fixture
async def narrow_bench(database_url: str) -> AsyncIterator[Bench]:
    """A writer whose rings hold next to nothing, so that readers change between ring and store."""
    async with benched(database_url, Rings(max_events=3)) as bench:
        yield bench


@asynccontextmanager
async def following(bench: Bench, branch: Branch, after: int | None = None) -> AsyncIterator[Follower]:
    """Follow a branch from a place, or from the head."""
    follower = Follower(bench.rings, bench.database.log, branch.key, branch.epoch)
    head = await follower.open()
    assert head is not None
    follower.cursor = head if after is None else after
    try:
        yield follower
    finally:
        await follower.aclose()


async def append(bench: Bench, branch: Branch, *texts: str) -> None:
    """Append events and wait until they are published."""
    await bench.writer.append_to(add_notes(branch, *texts))


async def read_to(follower: Follower, head: int) -> bytes:
    """Read up to a place of the log."""
    read = b""
    async with asyncio.timeout(WITHIN_SECONDS):
        while follower.cursor < head:
            chunk = await follower.next()
            assert isinstance(chunk, bytes)
            read += chunk
    return read


async def test_a_follower_from_the_beginning_reads_the_store_and_then_the_ring(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    await append(bench, branch, "before")

    async with following(bench, branch, after=0) as follower:
        history = await read_to(follower, 2)
        await append(bench, branch, "after")
        live = await read_to(follower, 3)

    lines = await log(bench.database, branch)
    assert framed(branch, 1, lines[:2]) == history
    assert framed(branch, 3, lines[2:]) == live
    assert Position(branch.epoch, 3) == follower.position


async def test_a_follower_at_the_head_waits_for_the_commit(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as follower:
        waiting = asyncio.ensure_future(follower.next())
        bench.gate.shut()
        appended = asyncio.ensure_future(append(bench, branch, "a", "b"))
        await bench.gate.begun()
        await idle()

        assert not waiting.done()

        bench.gate.open()
        await appended
        chunk = await asyncio.wait_for(waiting, WITHIN_SECONDS)

    lines = await log(bench.database, branch)
    assert framed(branch, 2, lines[1:]) == chunk


async def test_followers_at_one_place_are_given_the_same_bytes(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as one, following(bench, branch) as other:
        await append(bench, branch, "a", "b", "c")

        assert await one.next() is await other.next()


@given(
    bursts=st.lists(st.integers(1, 7), min_size=1, max_size=10),
    joins=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), min_size=1, max_size=5),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whoever_joins_at_any_moment_reads_exactly_the_log_from_its_place_on(
    narrow_bench: Bench, bursts: list[int], joins: list[tuple[int, int]]
) -> None:
    bench = narrow_bench
    branch = await make_branch(bench.database, f"s{next(NUMBERS)}")
    end = 1 + sum(bursts)
    moments = [asyncio.Event() for _ in bursts]

    async def join(moment: int, place: int) -> tuple[int, bytes]:
        await moments[min(moment, len(bursts) - 1)].wait()
        async with following(bench, branch) as follower:
            follower.cursor = start = min(place, follower.cursor)
            return start, await read_to(follower, end)

    readers = [asyncio.ensure_future(join(*each)) for each in joins]
    for number, size in enumerate(bursts):
        moments[number].set()
        await append(bench, branch, *(f"{number}.{index}" for index in range(size)))
    read = await asyncio.gather(*readers)

    lines = await log(bench.database, branch)
    assert [framed(branch, start + 1, lines[start:]) for start, _ in read] == [chunk for _, chunk in read]


async def test_a_head_that_was_only_heard_of_is_read_from_the_store(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as follower:
        waiting = asyncio.ensure_future(follower.next())
        await stored(bench.database.events, add_notes(branch, "written elsewhere"))
        await idle()
        assert not waiting.done()

        bench.rings.advance(branch.key, 2)

        chunk = await asyncio.wait_for(waiting, WITHIN_SECONDS)
    lines = await log(bench.database, branch)
    assert framed(branch, 2, lines[1:]) == chunk


async def test_a_beat_shows_only_at_the_head(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch, after=0) as follower:
        follower.beat()

        assert isinstance(await follower.next(), bytes)
        assert await follower.next() is Pause.BEAT
        waiting = asyncio.ensure_future(follower.next())
        await idle()
        assert not waiting.done()
        follower.beat()
        assert await asyncio.wait_for(waiting, WITHIN_SECONDS) is Pause.BEAT


async def test_a_thousand_beats_on_a_quiet_branch_leave_nothing_behind(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as follower:
        for _ in range(1000):
            follower.beat()
            assert await follower.next() is Pause.BEAT

        feed = bench.rings.open(branch.key)
        bench.rings.close(branch.key)
        assert feed.armed <= 1


async def test_closing_comes_after_everything_that_is_there(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch, after=0) as follower:
        await append(bench, branch, "last")
        bench.rings.shut(CloseReason.DRAIN)

        assert await read_to(follower, 2)
        assert await follower.next() is Pause.CLOSING


async def test_a_follower_of_a_run_that_goes_on_writing_comes_to_the_closing(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as follower:
        await append(bench, branch, "before")
        bench.rings.shut(CloseReason.DRAIN)
        await append(bench, branch, "after")

        seen = await follower.next()
        assert await follower.next() is Pause.CLOSING

    lines = await log(bench.database, branch)
    assert framed(branch, 2, lines[1:2]) == seen


async def test_a_follower_that_waits_hears_that_its_branch_is_gone_once_it_has_what_was_there(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as follower:
        await append(bench, branch, "last")
        assert isinstance(await follower.next(), bytes)
        waiting = asyncio.ensure_future(follower.next())
        await idle()

        bench.rings.gone(branch.key)

        assert await asyncio.wait_for(waiting, WITHIN_SECONDS) is Pause.DELETED
        assert await follower.next() is Pause.DELETED


async def test_a_follower_that_waits_hears_of_the_closing(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as follower:
        waiting = asyncio.ensure_future(follower.next())
        await idle()

        bench.rings.shut(CloseReason.DRAIN)

        assert await asyncio.wait_for(waiting, WITHIN_SECONDS) is Pause.CLOSING


async def test_a_follower_whose_reader_has_gone_stops(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    async with following(bench, branch) as follower:
        waiting = asyncio.ensure_future(follower.next())
        await idle()

        follower.leave()

        assert await asyncio.wait_for(waiting, WITHIN_SECONDS) is Pause.GONE
    assert await follower.next() is Pause.GONE


async def test_a_branch_that_is_not_there_has_no_head(bench: Bench) -> None:
    follower = Follower(bench.rings, bench.database.log, BranchKey(1), "0" * 12)

    assert await follower.open() is None
    await follower.aclose()


async def test_a_ring_lives_as_long_as_its_last_follower(bench: Bench) -> None:
    branch = await make_branch(bench.database)

    async with following(bench, branch):
        async with following(bench, branch):
            pass
        assert bench.rings.followed() == [branch.key]

    assert bench.rings.followed() == []


async def test_damage_is_told_after_what_is_whole(bench: Bench, database_url: str) -> None:
    branch = await make_branch(bench.database)
    await append(bench, branch, "whole")
    await append(bench, branch, "damaged")
    lines = await log(bench.database, branch)
    await execute(
        database_url, "UPDATE events SET checksum = 1 WHERE branch_key = :key AND last_seq = 3", key=branch.key
    )

    async with following(bench, branch, after=0) as follower:
        whole = await follower.next()
        with pytest.raises(LogCorrupt):
            await follower.next()

    assert framed(branch, 1, lines[:2]) == whole


EPOCH = "3f9a1c07b2de"


@pytest.mark.parametrize(
    ("asked", "cursor", "reason"),
    [
        (None, 7, None),
        ("", 7, None),
        (f"{EPOCH}.0", 0, None),
        (f"{EPOCH}.6", 6, None),
        (f"{EPOCH}.7", 7, None),
        (f"{EPOCH}.8", 7, ResetReason.FUTURE),
        (f"{EPOCH}.999999999999999999", 7, ResetReason.FUTURE),
        ("0123456789ab.3", 7, ResetReason.FOREIGN),
        ("0123456789ab.300", 7, ResetReason.FOREIGN),
        ("7", 7, ResetReason.MALFORMED),
        (f"{EPOCH}.-1", 7, ResetReason.MALFORMED),
        (f"{EPOCH.upper()}.3", 7, ResetReason.MALFORMED),
        ("x" * 5000, 7, ResetReason.MALFORMED),
    ],
)
def test_a_stream_starts_where_it_was_asked_to_or_says_why_not(
    asked: str | None, cursor: int, reason: ResetReason | None
) -> None:
    branch = replace(new_branch(), epoch=EPOCH, head=5)

    assert (cursor, reason) == start_of(branch, 7, asked)
