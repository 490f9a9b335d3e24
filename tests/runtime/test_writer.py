"""The writer: in order, without holes, and commit before publish before acknowledge."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from hosting.domain.branch import Branch
from hosting.domain.errors import LeaseLost, StorageUnavailable
from hosting.domain.quota import Quota
from hosting.domain.share import SHARE
from hosting.domain.step import StepKey, StepKind
from hosting.ports.units import BeginStep, Committed, Refusal
from hosting.runtime.writer import Writer
from tests.runtime.bench import Bench, Listener, framed, idle
from tests.store.units import (
    add_branch,
    add_notes,
    log,
    make_branch,
    make_lease,
    new_branch,
    note,
    said,
    start_run,
)

NUMBERS = count()

STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["append", "append", "append", "submit", "late", "pause", "told"])),
    max_size=40,
)


@dataclass
class Written:
    """A branch under a lease, with the one who holds it, one who held it before, and what its log must say."""

    branch: Branch
    holder: Listener
    fenced: Listener
    expected: list[str] = field(default_factory=lambda: ["", ""])


async def make_written(bench: Bench) -> Written:
    """Store a branch with a run that is held."""
    branch = await make_branch(bench.database, f"s{next(NUMBERS)}")
    lease = await make_lease(bench.database, branch)
    old = replace(lease, fence=lease.fence - 1)
    return Written(branch, Listener(lease, bench), Listener(old, bench))


def append(bench: Bench, author: Listener, text: str) -> None:
    """Append an event as an author."""
    bench.writer.append_as(author, note(text))
    author.appended += 1


@given(steps=STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_each_log_is_what_was_appended_in_order_whoever_else_writes(
    bench: Bench, steps: list[tuple[int, str]]
) -> None:
    written = [await make_written(bench) for _ in range(3)]
    feeds = [bench.rings.open(each.branch.key) for each in written]
    for each in written:
        bench.rings.advance(each.branch.key, 2)
    submitted: list[Awaitable[Committed | Refusal]] = []

    for number, (index, step) in enumerate(steps):
        each = written[index]
        if step == "append":
            append(bench, each.holder, str(number))
            each.expected.append(str(number))
        elif step == "submit":
            submitted.append(asyncio.ensure_future(bench.writer.append_to(add_notes(each.branch, f"{number}s"))))
            await asyncio.sleep(0)
            each.expected.append(f"{number}s")
        elif step == "late":
            append(bench, each.fenced, "never")
        elif step == "pause":
            await idle()
        else:
            await each.holder.told()
    outcomes = await asyncio.gather(*submitted)

    assert {Committed} >= {type(outcome) for outcome in outcomes}
    for each, feed in zip(written, feeds, strict=True):
        await each.holder.told()
        await each.fenced.told()
        lines = await log(bench.database, each.branch)
        assert each.expected == said(lines)
        assert feed.ring.after(2) == framed(each.branch, 3, lines[2:])
        assert (each.holder.error, each.holder.stored) == (None, each.holder.appended)
        assert each.fenced.appended == 0 or isinstance(each.fenced.error, LeaseLost)
        assert each.fenced.stored == 0
        bench.rings.close(each.branch.key)


async def test_nothing_is_published_or_acknowledged_before_it_is_committed(bench: Bench) -> None:
    written, other = await make_written(bench), await make_branch(bench.database, "other")
    feed = bench.rings.open(written.branch.key)
    bench.rings.advance(written.branch.key, 2)
    waiter = feed.arm()
    bench.gate.shut()

    append(bench, written.holder, "held back")
    submitted = asyncio.ensure_future(bench.writer.append_to(add_notes(other, "held back")))
    await bench.gate.begun()
    append(bench, written.holder, "held back too")
    await idle()

    assert (feed.ring.head, feed.ring.after(2)) == (2, b"")
    assert (waiter.done(), submitted.done(), written.holder.stored) == (False, False, 0)
    assert said(await log(bench.database, written.branch)) == ["", ""]

    bench.gate.open()
    await written.holder.told()

    assert isinstance(await submitted, Committed)
    assert waiter.done()
    assert written.holder.head_when_told == 4
    lines = await log(bench.database, written.branch)
    assert said(lines)[2:] == ["held back", "held back too"]
    assert feed.ring.after(2) == framed(written.branch, 3, lines[2:])


async def test_an_accepted_unit_is_published_when_its_author_hears_of_it(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    feed = bench.rings.open(branch.key)
    bench.rings.advance(branch.key, 1)

    outcome = await bench.writer.append_to(add_notes(branch, "a"))

    assert isinstance(outcome, Committed)
    assert feed.ring.after(1) == framed(branch, 2, outcome.lines)


async def test_the_next_commit_is_under_way_before_the_last_one_is_acknowledged(bench: Bench) -> None:
    written = await make_written(bench)
    bench.gate.shut()
    append(bench, written.holder, "first")
    await bench.gate.begun()
    append(bench, written.holder, "second")

    bench.gate.open()
    await written.holder.told()

    assert bench.journal == ["commit", "commit", "acknowledge", "acknowledge"]


async def test_what_queues_while_a_commit_is_in_flight_goes_into_one_next(bench: Bench) -> None:
    written = await make_written(bench)
    bench.gate.shut()
    append(bench, written.holder, "first")
    await bench.gate.begun()
    for number in range(50):
        append(bench, written.holder, str(number))

    bench.gate.open()
    await written.holder.told()

    assert bench.journal.count("commit") == 2
    assert said(await log(bench.database, written.branch)) == ["", "", "first", *map(str, range(50))]


async def test_changes_without_an_event_are_acknowledged_too(bench: Bench) -> None:
    written = await make_written(bench)
    key = StepKey("1", StepKind.WORK, "step", "hash")

    bench.writer.append_as(written.holder, None, [BeginStep(written.holder.lease.run.id, key)])
    written.holder.appended += 1
    append(bench, written.holder, "and an event")
    await written.holder.told()

    assert [key] == [step.key for step in await bench.database.runs.steps(written.holder.lease.run.id)]
    assert (written.holder.stored, written.holder.bytes_stored) == (2, note("and an event").size)


async def test_nothing_is_stored_behind_what_the_storage_refused(bench: Bench) -> None:
    broken, fine = await make_written(bench), await make_written(bench)
    bench.gate.shut()
    append(bench, broken.holder, "refused")
    await bench.gate.begun()
    append(bench, broken.holder, "behind it")
    submitted = asyncio.ensure_future(bench.writer.append_to(add_notes(broken.branch, "another's")))
    await asyncio.sleep(0)
    append(bench, broken.holder, "behind that")
    append(bench, fine.holder, "elsewhere")
    bench.gate.turn_away(broken.branch)

    bench.gate.open()
    await broken.holder.told()
    await fine.holder.told()
    await submitted

    assert isinstance(broken.holder.error, StorageUnavailable)
    assert broken.holder.stored == 0
    assert said(await log(bench.database, broken.branch)) == ["", "", "another's"]
    assert said(await log(bench.database, fine.branch)) == ["", "", "elsewhere"]


async def test_a_unit_that_the_storage_refused_is_told_to_who_waits(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    bench.gate.turn_away(branch)

    with pytest.raises(StorageUnavailable):
        await bench.writer.append_to(add_notes(branch, "lost"))
    await bench.writer.append_to(add_notes(branch, "kept"))

    assert said(await log(bench.database, branch)) == ["", "kept"]


async def test_an_author_that_is_fenced_off_hears_it_and_stores_nothing_more(bench: Bench) -> None:
    written = await make_written(bench)
    append(bench, written.fenced, "late")
    append(bench, written.fenced, "later")
    append(bench, written.holder, "mine")

    await written.fenced.told()
    await written.holder.told()

    assert isinstance(written.fenced.error, LeaseLost)
    assert said(await log(bench.database, written.branch)) == ["", "", "mine"]


async def test_a_refusal_is_returned_and_a_mistake_is_raised(bench: Bench) -> None:
    written = await make_written(bench)

    refused = await bench.writer.append_to(start_run(written.branch))
    missing = await bench.writer.append_to(add_branch(new_branch("no-such-session")))
    nameless = replace(new_branch(written.branch.scope.session_id, "b1"), epoch=None)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        await bench.writer.append_to(add_branch(nameless))
    outcome = await bench.writer.append_to(add_notes(written.branch, "still writing"))

    assert (refused, missing) == (Refusal.RUN_ACTIVE, Refusal.SESSION_MISSING)
    assert isinstance(outcome, Committed)


async def test_one_who_no_longer_waits_does_not_stop_the_writer(bench: Bench) -> None:
    branch = await make_branch(bench.database)
    bench.gate.shut()
    submitted = asyncio.ensure_future(bench.writer.append_to(add_notes(branch, "nobody waits for this")))
    await bench.gate.begun()
    submitted.cancel()
    await asyncio.wait([submitted])

    bench.gate.open()
    await bench.writer.append_to(add_notes(branch, "after it"))

    assert said(await log(bench.database, branch)) == ["", "nobody waits for this", "after it"]


async def test_units_that_wait_are_counted_for_whoevers_share_they_take(bench: Bench) -> None:
    branch, waiting = await make_branch(bench.database), Quota[str](10, 10)
    writer = Writer(bench.gate, bench.rings, waiting=waiting)
    SHARE.set("acme\0workers")
    submitted = asyncio.create_task(writer.append_to(add_branch(new_branch(branch.scope.session_id, "west"))))
    await idle()

    before = waiting.taken_by("acme\0workers"), waiting.taken
    submitted.cancel()
    await idle()

    assert (before, waiting.taken) == ((1, 1), 0)
