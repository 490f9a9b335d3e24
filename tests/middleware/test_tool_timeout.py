"""A tool call that takes too long ends; whatever else it raises is its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from events.event import Event
from events.tools import ToolResult
from middleware.errors import ToolFailed, ToolTimedOut
from middleware.timeout import Timeout

SHORT = timedelta(milliseconds=20)
LONG = timedelta(minutes=1)
DONE = ToolResult(text="done")


@dataclass(frozen=True)
class Call:
    """What the layer may know of a call."""

    timeout: timedelta | None
    name: str = "dig"
    call_id: str = "call_1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    retries: int = 0

    async def emit(self, event: Event) -> None:
        raise AssertionError(f"a timeout tells nothing: {event}")


async def forever() -> ToolResult:
    """Take as long as there is."""
    await asyncio.Event().wait()
    return DONE


async def at_once() -> ToolResult:
    await asyncio.sleep(0)
    return DONE


async def test_a_call_that_takes_too_long_is_timed_out_and_may_be_made_again() -> None:
    with pytest.raises(ToolTimedOut, match=r"The tool dig took longer than the 0\.02 seconds") as ended:
        await Timeout().around_tool_call(Call(SHORT), forever)

    assert ended.value.is_retryable is True


async def test_a_call_that_takes_too_long_is_cancelled_and_may_clean_up() -> None:
    cleaned: list[str] = []

    async def work() -> ToolResult:
        try:
            return await forever()
        finally:
            await asyncio.sleep(0)
            cleaned.append("done")

    with pytest.raises(ToolTimedOut):
        await Timeout().around_tool_call(Call(SHORT), work)

    assert cleaned == ["done"]


@pytest.mark.parametrize("limit", [LONG, None])
async def test_a_call_that_is_quick_enough_is_left_alone(limit: timedelta | None) -> None:
    result = await Timeout().around_tool_call(Call(limit), at_once)

    assert result == DONE


@pytest.mark.parametrize("limit", [LONG, None])
@pytest.mark.parametrize(
    "error", [TimeoutError("the tool's"), ValueError("mine"), ToolFailed("A", "b", is_retryable=False)]
)
async def test_an_error_of_the_tools_own_passes(limit: timedelta | None, error: Exception) -> None:
    async def work() -> ToolResult:
        raise error

    with pytest.raises(type(error)) as passed:
        await Timeout().around_tool_call(Call(limit), work)

    assert passed.value is error


async def test_each_try_has_the_whole_time() -> None:
    layer, call = Timeout(), Call(SHORT)

    for _ in range(3):
        with pytest.raises(ToolTimedOut):
            await layer.around_tool_call(call, forever)
    result = await layer.around_tool_call(call, at_once)

    assert result == DONE


async def test_a_cancelled_call_is_cancelled_and_not_timed_out() -> None:
    started = asyncio.Event()

    async def work() -> ToolResult:
        started.set()
        return await forever()

    task = asyncio.ensure_future(Timeout().around_tool_call(Call(LONG), work))
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
