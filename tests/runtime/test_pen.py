"""A pen slows a fast agent to the speed of the disk, and tells when all is stored."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from events.ids import MessageId
from events.text import TextDelta
from hosting.domain.branch import Branch
from hosting.domain.errors import LeaseLost, StorageUnavailable
from hosting.domain.run import COMPLETED
from hosting.domain.step import StepKey, StepKind
from hosting.ports.units import BeginStep, EndRun
from hosting.runtime.pen import Pen
from tests.runtime.bench import Bench, idle
from tests.store.units import HOLDER, NOW, log, make_branch, make_lease, nobody_waits, said

ROOM_EVENTS = 256
ROOM_BYTES = 64 * 1024


def delta(text: str) -> TextDelta:
    """Return an event that says something."""
    return TextDelta(text=text, message_id=MessageId("m"))


async def write(pen: Pen, event: TextDelta) -> None:
    """Append an event, and wait for room for the next."""
    pen.put(event)
    await pen.room()


async def returns_at_once(work: Coroutine[Any, Any, None]) -> bool:
    """Say whether something is done without waiting for the store; what waits is left waiting."""
    task = asyncio.ensure_future(work)
    await idle()
    return task.done()


@pytest.fixture
async def pen(bench: Bench) -> Pen:
    """The pen of a run on the branch `main`, whose log has two events."""
    return bench.pen(await make_lease(bench.database, await make_branch(bench.database)))


async def test_emit_returns_at_once_while_there_is_room_and_waits_beyond(bench: Bench, pen: Pen) -> None:
    bench.gate.shut()

    early = [await returns_at_once(write(pen, delta(str(number)))) for number in range(ROOM_EVENTS - 1)]
    late = asyncio.ensure_future(write(pen, delta("one more")))
    await idle()

    assert early == [True] * (ROOM_EVENTS - 1)
    assert not late.done()

    bench.gate.open()
    await late
    await pen.settle()
    assert len(await log(bench.database, await branch_of(bench, pen))) == 2 + ROOM_EVENTS


async def test_emit_waits_when_the_bytes_are_too_many(bench: Bench, pen: Pen) -> None:
    bench.gate.shut()

    assert await returns_at_once(write(pen, delta("x" * (ROOM_BYTES // 2))))
    late = asyncio.ensure_future(write(pen, delta("x" * (ROOM_BYTES // 2))))
    await idle()

    assert not late.done()

    bench.gate.open()
    await late


async def test_put_never_waits(bench: Bench, pen: Pen) -> None:
    bench.gate.shut()

    for number in range(2 * ROOM_EVENTS):
        pen.put(delta(str(number)))

    bench.gate.open()
    await pen.settle()
    assert said(await log(bench.database, await branch_of(bench, pen)))[2:] == [
        str(number) for number in range(2 * ROOM_EVENTS)
    ]


async def test_settle_waits_for_all_that_was_appended(bench: Bench, pen: Pen) -> None:
    bench.gate.shut()
    await write(pen, delta("first"))
    await bench.gate.begun()
    pen.record(BeginStep(pen.lease.run.id, StepKey("1", StepKind.WORK, "step", "hash")))
    settled = asyncio.ensure_future(pen.settle())
    await idle()

    assert not settled.done()

    bench.gate.open()
    await settled
    assert len(await bench.database.runs.steps(pen.lease.run.id)) == 1


async def test_settle_returns_at_once_when_all_is_stored(bench: Bench, pen: Pen) -> None:
    await write(pen, delta("a"))
    await pen.settle()
    bench.gate.shut()

    assert await returns_at_once(pen.settle())


async def test_cancelling_one_who_waits_does_not_cancel_the_others(bench: Bench, pen: Pen) -> None:
    bench.gate.shut()
    pen.put(delta("a"))
    waiting = [asyncio.ensure_future(pen.settle()) for _ in range(3)]
    await idle()

    waiting[1].cancel()
    await idle()

    assert [task.done() for task in waiting] == [False, True, False]
    assert waiting[1].cancelled()

    bench.gate.open()
    await asyncio.gather(waiting[0], waiting[2])


async def test_whoever_waits_hears_that_the_storage_refused(bench: Bench, pen: Pen) -> None:
    branch = await branch_of(bench, pen)
    bench.gate.shut()
    pen.put(delta("lost"))
    waiting = [asyncio.ensure_future(pen.settle()) for _ in range(2)]
    await bench.gate.begun()
    bench.gate.turn_away(branch)

    bench.gate.open()
    ends = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(end) for end in ends] == [StorageUnavailable, StorageUnavailable]
    with pytest.raises(StorageUnavailable):
        pen.put(delta("behind it"))
    with pytest.raises(StorageUnavailable):
        await pen.settle()
    assert said(await log(bench.database, branch)) == ["", ""]


async def test_whoever_holds_an_old_lease_hears_that_it_is_lost(bench: Bench, pen: Pen) -> None:
    await bench.database.leases.expire_all()
    await bench.database.leases.claim([pen.lease.run.id], pen.lease.node, 30)

    pen.put(delta("late"))

    with pytest.raises(LeaseLost):
        await pen.settle()
    with pytest.raises(LeaseLost):
        await write(pen, delta("later"))


async def test_nothing_can_be_put_behind_the_end_of_a_run(bench: Bench, pen: Pen) -> None:
    bench.gate.shut()
    pen.put(delta("last"), EndRun(pen.lease.run.id, COMPLETED, NOW, HOLDER, nobody_waits))

    with pytest.raises(LeaseLost):
        pen.put(delta("behind the end"))
    with pytest.raises(LeaseLost):
        pen.record()
    bench.gate.open()
    await pen.settle()

    assert said(await log(bench.database, await branch_of(bench, pen))) == ["", "", "last"]


async def branch_of(bench: Bench, pen: Pen) -> Branch:
    """Return the branch that a pen writes to."""
    scope = pen.lease.run.scope
    branch = await bench.database.tenant(scope.tenant).branch(scope.session_id, scope.branch_id)
    assert branch is not None
    return branch
