"""A call that failed is made again as often as it allows, after a pause that doubles; each is told first."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from events.event import Event
from events.retries import FunctionRetry, ModelCallRetry
from events.tools import ToolResult
from middleware.errors import AgentError, ModelFailed, ModelUnavailable, ToolFailed, ToolTimedOut
from middleware.retry import Retry

PAUSE = timedelta(milliseconds=1)
DONE = ToolResult(text="done")
AGAIN = ToolFailed("OSError", "The tool dig failed.", is_retryable=True)
NEVER = ToolFailed("Refused", "The ground is rock.", is_retryable=False)


class Busy(AgentError):
    is_retryable = True


class Slower(ModelFailed):
    category = "rate_limit"
    is_retryable = True


@dataclass
class Call:
    """A call that fails with `failures`, one after the other, and then succeeds; `notes` are what happened."""

    failures: list[BaseException] = field(default_factory=list)
    retries: int = 0
    name: str = "dig"
    call_id: str = "call_1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    timeout: timedelta | None = None
    chance: float = 1.0
    notes: list[str] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    was_told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def model_retries(self) -> int:
        return self.retries

    async def emit(self, event: Event) -> None:
        self.notes.append("told")
        self.told.append(event)
        self.was_told.set()

    async def work(self) -> ToolResult:
        self.notes.append("tried")
        if self.failures:
            raise self.failures.pop(0)
        return DONE

    async def made(self, first_pause: timedelta = PAUSE) -> ToolResult:
        """Make the call as a tool's."""
        return await Retry(first_pause).around_tool_call(self, self.work)

    async def made_by_model(self, first_pause: timedelta = PAUSE) -> ToolResult:
        """Make the call as a model's."""
        return await Retry(first_pause, chance=lambda: self.chance).around_model_call(self, self.work)


@pytest.mark.parametrize("retries", [0, 1, 5])
async def test_a_call_that_succeeds_is_made_once(retries: int) -> None:
    call = Call(retries=retries)

    result = await call.made()

    assert result == DONE
    assert call.notes == ["tried"]


async def test_a_tool_without_retries_is_called_once() -> None:
    call = Call([AGAIN])

    with pytest.raises(ToolFailed) as failed:
        await call.made()

    assert failed.value is AGAIN
    assert call.notes == ["tried"]


async def test_each_repetition_is_told_before_it_is_made() -> None:
    call = Call([AGAIN, AGAIN], retries=3)

    result = await call.made()

    assert result == DONE
    assert call.notes == ["tried", "told", "tried", "told", "tried"]
    assert call.told == [_retry(attempt=1, of=3, delay=PAUSE), _retry(attempt=2, of=3, delay=2 * PAUSE)]


async def test_the_last_failure_is_raised_as_it_is_and_not_told_as_a_repetition() -> None:
    last = ToolFailed("OSError", "for good", is_retryable=True)
    call = Call([AGAIN, AGAIN, last], retries=2)

    with pytest.raises(ToolFailed) as failed:
        await call.made()

    assert failed.value is last
    assert call.notes == ["tried", "told", "tried", "told", "tried"]


async def test_a_failure_that_can_never_succeed_is_raised_at_once() -> None:
    call = Call([AGAIN, NEVER], retries=5)

    with pytest.raises(ToolFailed) as failed:
        await call.made()

    assert failed.value is NEVER
    assert call.notes == ["tried", "told", "tried"]


async def test_a_call_that_took_too_long_is_made_again() -> None:
    call = Call([ToolTimedOut("dig", 2)], retries=1)

    await call.made()

    sentence = "The tool dig took longer than the 2 seconds it was allowed."
    assert call.told == [_retry(attempt=1, of=1, delay=PAUSE, kind="ToolTimedOut", sentence=sentence)]


@pytest.mark.parametrize("error", [ValueError("private"), asyncio.CancelledError(), KeyboardInterrupt()])
async def test_any_other_error_passes(error: BaseException) -> None:
    call = Call([error], retries=5)

    with pytest.raises(type(error)) as passed:
        await call.made()

    assert passed.value is error
    assert call.notes == ["tried"]


async def test_pauses_double() -> None:
    call = Call([AGAIN] * 5, retries=5)

    await call.made()

    delays = [event.delay for event in call.told if isinstance(event, FunctionRetry)]
    assert delays == [PAUSE, 2 * PAUSE, 4 * PAUSE, 8 * PAUSE, 16 * PAUSE]


async def test_a_pause_is_kept_before_the_call_is_made_again() -> None:
    clock = asyncio.get_running_loop().time
    call, began = Call([AGAIN, AGAIN, AGAIN], retries=3), clock()

    await call.made(timedelta(milliseconds=5))

    assert clock() - began >= 0.035


async def test_no_pause_is_longer_than_half_a_minute() -> None:
    call = Call([AGAIN], retries=1)
    waiting = asyncio.ensure_future(call.made(timedelta(days=1)))
    async with asyncio.timeout(5):
        await call.was_told.wait()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert call.told == [_retry(attempt=1, of=1, delay=timedelta(seconds=30))]
    assert call.notes == ["tried", "told"]


async def test_a_model_call_that_failed_with_an_agent_error_is_made_again() -> None:
    call = Call([Busy("The model is busy."), Busy("Still busy.")], retries=2)

    result = await call.made_by_model()

    assert result == DONE
    assert call.notes == ["tried", "told", "tried", "told", "tried"]
    assert call.told == [
        ModelCallRetry(
            attempt=number, max_retries=2, delay=number * PAUSE, exception_type="Busy", error_message=sentence
        )
        for number, sentence in ((1, "The model is busy."), (2, "Still busy."))
    ]


@pytest.mark.parametrize("error", [AgentError("not again"), ValueError("private")])
async def test_a_model_call_that_can_never_succeed_is_made_once(error: Exception) -> None:
    call = Call([error], retries=5)

    with pytest.raises(type(error)) as failed:
        await call.made_by_model()

    assert failed.value is error
    assert call.notes == ["tried"]


async def test_a_model_call_that_fails_for_the_last_time_raises_that() -> None:
    call = Call([Busy("first"), Busy("last")], retries=1)

    with pytest.raises(Busy, match="last"):
        await call.made_by_model()

    assert call.notes == ["tried", "told", "tried"]


@pytest.mark.parametrize(("chance", "part"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
async def test_a_models_pause_is_between_half_and_the_whole_of_its_length(chance: float, part: float) -> None:
    call = Call([Busy("busy"), Busy("busy")], retries=2, chance=chance)

    await call.made_by_model()

    assert _delays(call) == [PAUSE * part, 2 * PAUSE * part]


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
async def test_a_provider_is_left_alone_as_long_as_it_wants(chance: float) -> None:
    wish = timedelta(milliseconds=20)
    call = Call([Slower("slower", retry_after=wish)], retries=1, chance=chance)

    await call.made_by_model()

    (delay,) = _delays(call)
    assert wish <= delay <= 1.1 * wish


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Slower("slower", retry_after=timedelta(seconds=61)), id="wants a minute and more"),
        pytest.param(ModelUnavailable("m-1", timedelta(seconds=1)), id="is not asked for a while"),
    ],
)
async def test_a_call_that_would_have_to_wait_too_long_is_not_made_again(error: ModelFailed) -> None:
    call = Call([error], retries=3)

    with pytest.raises(type(error)):
        await call.made_by_model()

    assert call.notes == ["tried"]


async def test_a_repetition_tells_what_went_wrong_with_the_model() -> None:
    call = Call([Slower("slower")], retries=1)

    await call.made_by_model()

    told = [event.category for event in call.told if isinstance(event, ModelCallRetry)]
    assert told == ["rate_limit"]


def _delays(call: Call) -> list[timedelta]:
    return [event.delay for event in call.told if isinstance(event, ModelCallRetry)]


def _retry(
    *, attempt: int, of: int, delay: timedelta, kind: str = "OSError", sentence: str = "The tool dig failed."
) -> FunctionRetry:
    return FunctionRetry(
        function_name="dig",
        attempt=attempt,
        max_retries=of,
        delay=delay,
        exception_type=kind,
        error_message=sentence,
    )
