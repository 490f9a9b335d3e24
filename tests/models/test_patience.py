"""A provider is waited for as long as it may take: until its first word, between two of them, and in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from hosting.adapters.models.failures import ModelAnswerTooLong, ModelTimedOut
from hosting.adapters.models.patience import Patience, Waiting
from middleware.errors import ModelFailed

SHORT = timedelta(milliseconds=20)
LONG = timedelta(seconds=60)


async def test_an_answer_that_comes_in_time_is_read_to_its_end() -> None:
    waiting = Patience(LONG, LONG, LONG).begin("m-1")

    pieces = [piece async for piece in waiting.watch(_said("a", "b"), len)]

    assert pieces == ["a", "b"]


async def test_a_model_that_does_not_begin_is_given_up() -> None:
    waiting = Patience(SHORT, LONG, LONG).begin("m-1")

    with pytest.raises(ModelTimedOut) as late:
        await _read(waiting, _silent())

    assert str(late.value) == "The model m-1 did not begin to answer within 0.02 seconds."
    assert late.value.is_retryable


async def test_the_time_until_the_first_word_is_one_for_opening_and_reading() -> None:
    waiting = Patience(SHORT, LONG, LONG).begin("m-1")
    is_closed = []

    @asynccontextmanager
    async def opening() -> AsyncIterator[str]:
        try:
            await asyncio.Event().wait()
            yield "never"
        finally:
            is_closed.append(True)

    with pytest.raises(ModelTimedOut):
        async with waiting.opened(opening()):
            pass

    assert is_closed == [True]


async def test_a_model_that_falls_silent_is_given_up() -> None:
    waiting = Patience(LONG, SHORT, LONG).begin("m-1")

    with pytest.raises(ModelTimedOut) as late:
        await _read(waiting, _silent("a", "b"))

    assert str(late.value) == "The model m-1 said nothing more for 0.02 seconds."


async def test_a_model_that_never_ends_is_cut_off_and_not_asked_again() -> None:
    waiting = Patience(LONG, LONG, timedelta(milliseconds=50)).begin("m-1")

    with pytest.raises(ModelAnswerTooLong) as late:
        await _read(waiting, _endless())

    assert str(late.value) == "The model m-1 had not ended its answer after 0.05 seconds."
    assert not late.value.is_retryable


async def test_a_model_that_says_too_much_is_cut_off() -> None:
    waiting = Patience(LONG, LONG, LONG, max_characters=10).begin("m-1")
    pieces: list[str] = []

    with pytest.raises(ModelAnswerTooLong) as late:
        await _read(waiting, _said(*["four"] * 10), pieces)

    assert pieces == ["four", "four"]
    assert str(late.value) == "The model m-1 wrote more than 10 characters, and was cut off."


async def test_the_time_that_it_takes_to_write_a_piece_down_is_not_the_models() -> None:
    waiting = Patience(LONG, SHORT, LONG).begin("m-1")
    pieces: list[str] = []

    async for piece in waiting.watch(_said("a", "b", "c"), len):
        await _store_for(2 * SHORT)
        pieces.append(piece)

    assert pieces == ["a", "b", "c"]


async def test_a_providers_own_timeout_stays_its_own() -> None:
    waiting = Patience(LONG, LONG, LONG).begin("m-1")

    async def failing() -> AsyncIterator[str]:
        yield "a"
        raise TimeoutError("the client's own")

    with pytest.raises(TimeoutError, match="the client's own"):
        await _read(waiting, failing())


async def test_whoever_reads_can_be_cancelled() -> None:
    waiting = Patience(LONG, LONG, LONG).begin("m-1")
    reading = asyncio.create_task(_read(waiting, _silent("a")), name="reading")
    await asyncio.wait({reading}, timeout=0.01)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading


async def _read(waiting: Waiting, pieces: AsyncIterator[str], read: list[str] | None = None) -> None:
    async with asyncio.timeout(5):
        async for piece in waiting.watch(pieces, len):
            if read is not None:
                read.append(piece)


async def _store_for(time: timedelta) -> None:
    loop = asyncio.get_running_loop()
    stored = loop.create_future()
    loop.call_later(time.total_seconds(), stored.set_result, None)
    await stored


async def _said(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


async def _silent(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece
    await asyncio.Event().wait()


async def _endless() -> AsyncIterator[str]:
    while True:
        await asyncio.sleep(0)
        yield "a"


@pytest.mark.parametrize("own", ["first", "idle", "call"])
async def test_only_a_time_that_is_not_shorter_than_the_servers_tells_that_the_provider_is_ill(own: str) -> None:
    times: dict[str, timedelta | None] = {"first": None, "idle": None, "call": None}
    begun = ["a"] if own == "idle" else []
    hurried = Patience(LONG, LONG, LONG).within(**times | {own: SHORT})
    lenient = replace(Patience(LONG, LONG, LONG), **{own: SHORT / 2}).within(**times | {own: SHORT})

    with pytest.raises(ModelFailed) as hasty:
        await _read(hurried.begin("m-1"), _silent(*begun))
    with pytest.raises(ModelFailed) as patient:
        await _read(lenient.begin("m-1"), _silent(*begun))

    assert (hasty.value.is_providers_fault, patient.value.is_providers_fault) == (None, own != "call")
