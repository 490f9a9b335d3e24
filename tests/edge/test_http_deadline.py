"""The timer of a connection passes when it should, however often it is moved, and never when it should not."""

import asyncio
from collections.abc import Callable

from hosting.cli.http_deadline import Deadline

LONG_SECONDS = 3600
SHORT_SECONDS = 0.01


async def test_one_that_is_moved_nearer_passes_at_its_new_time() -> None:
    deadline, passed = _made()

    deadline.set(LONG_SECONDS)
    deadline.set(SHORT_SECONDS)

    await asyncio.wait_for(passed.wait(), 5)


async def test_one_that_is_moved_away_passes_at_its_new_time() -> None:
    loop = asyncio.get_running_loop()
    deadline, passed = _made()
    begun = loop.time()

    for _ in range(3):
        deadline.set(SHORT_SECONDS)
    deadline.set(20 * SHORT_SECONDS)
    await asyncio.wait_for(passed.wait(), 5)

    assert loop.time() - begun >= 20 * SHORT_SECONDS


async def test_one_that_has_passed_can_be_set_again() -> None:
    deadline, passed = _made()

    for _ in range(2):
        passed.clear()
        deadline.set(SHORT_SECONDS)
        await asyncio.wait_for(passed.wait(), 5)


async def test_one_that_is_lifted_does_not_pass_until_it_is_set_again() -> None:
    deadline, passed = _made()
    other, later = _made()

    deadline.set(SHORT_SECONDS)
    deadline.lift()
    other.set(3 * SHORT_SECONDS)
    await asyncio.wait_for(later.wait(), 5)
    was_passed = passed.is_set()
    deadline.set(SHORT_SECONDS)
    await asyncio.wait_for(passed.wait(), 5)

    assert not was_passed


async def test_one_that_has_ended_never_passes() -> None:
    deadline, passed = _made()
    other, later = _made()

    deadline.set(SHORT_SECONDS)
    deadline.end()
    other.set(3 * SHORT_SECONDS)
    await asyncio.wait_for(later.wait(), 5)

    assert not passed.is_set()


def _made() -> tuple[Deadline, asyncio.Event]:
    passed = asyncio.Event()
    on_passed: Callable[[], None] = passed.set
    return Deadline(asyncio.get_running_loop(), on_passed), passed
