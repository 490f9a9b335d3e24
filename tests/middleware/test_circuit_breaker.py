"""A model that fails whoever asks it is left alone for a while, and asked again by one before it is by all."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from middleware.circuit_breaker import Answered, CircuitBreaker
from middleware.errors import ModelFailed, ModelUnavailable

TEXT = "an answer"


class Ill(ModelFailed):
    is_retryable = True
    is_providers_fault = True


class Refused(ModelFailed):
    pass


@dataclass(frozen=True)
class Call:
    caused_by: str = "run"
    endpoint: str = "here"
    model_name: str = "m-1"


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Model:
    """A model behind a breaker that opens after three failures; `asked` is how many calls came through to it."""

    clock: Clock = field(default_factory=Clock)
    asked: int = 0
    breaker: CircuitBreaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(
            failures=3, first_pause=timedelta(seconds=10), longest_pause=timedelta(seconds=35), clock=self.clock
        )

    async def ask(self, outcome: BaseException | None = None, *, run: str = "run", endpoint: str = "here") -> str:
        async def work(answered: Answered) -> str:
            self.asked += 1
            if outcome is not None:
                raise outcome
            answered()
            return TEXT

        return await self.breaker.around_model_call(Call(run, endpoint), work)

    async def fail(self, *runs: str) -> None:
        for run in runs:
            with pytest.raises(Ill):
                await self.ask(Ill("ill"), run=run)

    async def is_closed_to(self, run: str, *, endpoint: str = "here") -> float:
        """Return for how many seconds a call is not let through."""
        before = self.asked
        with pytest.raises(ModelUnavailable) as refused:
            await self.ask(run=run, endpoint=endpoint)
        assert self.asked == before
        assert refused.value.is_retryable
        assert refused.value.retry_after is not None
        return refused.value.retry_after.total_seconds()


@pytest.fixture
def model() -> Model:
    return Model()


async def test_calls_are_not_made_after_as_many_runs_have_failed_in_a_row(model: Model) -> None:
    await model.fail("a", "b")
    assert await model.ask(run="c") == TEXT
    await model.fail("a", "b", "c")

    closed_for = await model.is_closed_to("d")

    assert closed_for == 10


async def test_it_says_which_model_is_not_asked_and_for_how_long(model: Model) -> None:
    await model.fail("a", "b", "c")
    model.clock.now += 4

    with pytest.raises(ModelUnavailable) as refused:
        await model.ask()

    sentence = "The model m-1 has failed several times and is not asked for another 6 seconds."
    assert str(refused.value) == sentence
    assert refused.value.category == "unavailable"


async def test_the_tries_of_one_run_close_it_to_nobody(model: Model) -> None:
    await model.fail(*["one run"] * 20)

    answer = await model.ask(run="another")

    assert answer == TEXT


async def test_another_endpoint_is_asked_all_the_same(model: Model) -> None:
    await model.fail("a", "b", "c")

    answer = await model.ask(endpoint="there")

    assert answer == TEXT


@pytest.mark.parametrize("outcome", [Refused("no such model"), ValueError("a bug"), asyncio.CancelledError()])
async def test_what_is_not_the_providers_own_failure_does_not_count(model: Model, outcome: BaseException) -> None:
    for number in range(10):
        with pytest.raises(type(outcome)):
            await model.ask(outcome, run=str(number))

    answer = await model.ask()

    assert answer == TEXT


async def test_one_call_is_let_through_after_the_pause_and_the_others_with_its_first_word(model: Model) -> None:
    await model.fail("a", "b", "c")
    model.clock.now += 10
    probe = await _begin(model, "probe")
    closed_for = await model.is_closed_to("too early")
    probe.speak()

    answer = await model.ask(run="another")

    probe.end.set_result(None)
    assert closed_for == 0
    assert answer == TEXT
    assert await probe.task == TEXT


async def test_each_pause_is_twice_as_long_up_to_the_longest(model: Model) -> None:
    await model.fail("a", "b", "c")
    pauses = [await model.is_closed_to("d")]
    for number in range(3):
        model.clock.now += pauses[-1]
        await model.fail(f"probe {number}")
        pauses.append(await model.is_closed_to("d"))

    assert pauses == [10, 20, 35, 35]


async def test_a_model_that_begins_to_answer_and_fails_again_is_left_alone_again(model: Model) -> None:
    await model.fail("a", "b", "c")
    model.clock.now += 10
    probe = await _begin(model, "probe")
    probe.speak()
    probe.end.set_exception(Ill("broke off"))
    with pytest.raises(Ill):
        await probe.task

    closed_for = await model.is_closed_to("d")

    assert closed_for == 20


async def test_a_model_that_has_answered_is_trusted_as_before(model: Model) -> None:
    await model.fail("a", "b", "c")
    model.clock.now += 10
    await model.ask(run="probe")
    await model.fail("a", "b")

    answer = await model.ask()
    await model.fail("a", "b", "c")

    assert answer == TEXT
    assert await model.is_closed_to("d") == 10


async def test_a_call_that_was_let_through_and_cut_off_leaves_its_place_to_the_next(model: Model) -> None:
    await model.fail("a", "b", "c")
    model.clock.now += 10
    probe = await _begin(model, "probe")
    probe.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe.task

    answer = await model.ask()

    assert answer == TEXT


async def test_a_refusal_shows_that_the_provider_is_there(model: Model) -> None:
    await model.fail("a", "b", "c")
    model.clock.now += 10
    with pytest.raises(Refused):
        await model.ask(Refused("no such model"))

    answer = await model.ask()

    assert answer == TEXT


async def test_calls_from_before_it_closed_do_not_keep_it_closed(model: Model) -> None:
    old = [await _begin(model, f"old {number}") for number in range(5)]
    await model.fail("a", "b", "c")
    for call in old:
        call.end.set_exception(Ill("late"))
        with pytest.raises(Ill):
            await call.task

    assert await model.is_closed_to("d") == 10
    model.clock.now += 10
    assert await model.ask() == TEXT


async def test_of_endpoints_without_end_the_oldest_are_forgotten(model: Model) -> None:
    for number in range(1_001):
        for run in ("a", "b"):
            with pytest.raises(Ill):
                await model.ask(Ill("ill"), run=run, endpoint=str(number))
    for endpoint in ("0", "1000"):
        with pytest.raises(Ill):
            await model.ask(Ill("ill"), run="c", endpoint=endpoint)

    answer = await model.ask(endpoint="0")

    assert answer == TEXT
    assert await model.is_closed_to("d", endpoint="1000") == 10


@dataclass
class Begun:
    """A call that has come through to the model; it has its first word when it speaks, and then an end."""

    task: asyncio.Task[str]
    speak: Answered
    end: asyncio.Future[None]


async def _begin(model: Model, run: str) -> Begun:
    loop = asyncio.get_running_loop()
    came: asyncio.Future[Answered] = loop.create_future()
    end: asyncio.Future[None] = loop.create_future()

    async def work(answered: Answered) -> str:
        came.set_result(answered)
        await end
        return TEXT

    task = asyncio.create_task(model.breaker.around_model_call(Call(run), work), name=run)
    async with asyncio.timeout(5):
        return Begun(task, await came, end)


async def test_a_failure_that_says_nothing_of_the_model_neither_closes_nor_opens_it() -> None:
    model = Model()
    unknown = Ill("ill")
    unknown.is_providers_fault = None
    for run in "abcd":
        with pytest.raises(Ill):
            await model.ask(unknown, run=run)
    await model.fail("a", "b", "c")
    model.clock.now += 10

    with pytest.raises(Ill):
        await model.ask(unknown, run="d")
    probing = await _begin(model, "e")

    assert await model.is_closed_to("f") == 0
    probing.end.set_result(None)
    assert await probing.task == TEXT
