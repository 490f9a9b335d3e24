"""A turn that takes too long ends; whatever else it raises is its own."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from middleware.errors import RunTimedOut, Withdrawn
from middleware.timeout import Timeout


@dataclass(frozen=True)
class Context:
    """What the layer may know of a run."""

    run_timeout: timedelta | None
    run_took: timedelta = timedelta()


LONG = Context(timedelta(minutes=1))
SHORT = Context(timedelta(milliseconds=20))


async def forever() -> None:
    """Take as long as there is."""
    await asyncio.Event().wait()


async def test_a_turn_that_takes_too_long_is_timed_out() -> None:
    with pytest.raises(RunTimedOut, match=r"0\.02 seconds") as ended:
        await Timeout().around_turn(SHORT, forever)

    assert ended.value.is_retryable is True


async def test_a_turn_that_takes_too_long_is_cancelled_and_may_clean_up() -> None:
    cleaned: list[str] = []

    async def turn() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            cleaned.append("done")

    with pytest.raises(RunTimedOut):
        await Timeout().around_turn(SHORT, turn)

    assert cleaned == ["done"]


@pytest.mark.parametrize("context", [LONG, Context(None)])
async def test_a_turn_that_is_quick_enough_is_left_alone(context: Context) -> None:
    done: list[str] = []

    async def turn() -> None:
        await asyncio.sleep(0)
        done.append("done")

    await Timeout().around_turn(context, turn)

    assert done == ["done"]


@pytest.mark.parametrize("context", [LONG, Context(None)])
@pytest.mark.parametrize("error", [TimeoutError("the model's"), ValueError("mine"), Withdrawn()])
async def test_an_error_of_the_turns_own_passes(context: Context, error: Exception) -> None:
    async def turn() -> None:
        raise error

    with pytest.raises(type(error)) as passed:
        await Timeout().around_turn(context, turn)

    assert passed.value is error


async def test_a_shorter_timeout_inside_the_turn_is_the_turns_own_failure() -> None:
    async def turn() -> None:
        async with asyncio.timeout(0.01):
            await forever()

    with pytest.raises(TimeoutError) as passed:
        await Timeout().around_turn(LONG, turn)

    assert not isinstance(passed.value, RunTimedOut)


async def test_a_cancelled_turn_is_cancelled_and_not_timed_out() -> None:
    started = asyncio.Event()

    async def turn() -> None:
        started.set()
        await forever()

    task = asyncio.ensure_future(Timeout().around_turn(LONG, turn))
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_a_run_took_before_it_was_begun_again_counts() -> None:
    minute = timedelta(minutes=1)

    for took in (minute - timedelta(milliseconds=20), minute, 2 * minute):
        with pytest.raises(RunTimedOut, match="60 seconds"):
            await Timeout().around_turn(Context(minute, took), forever)
