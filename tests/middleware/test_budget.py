"""A tool call that fails is a result for the agent, until too many have failed in a row."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from events.event import Event
from events.tools import ResultType, ToolResult
from middleware.budget import Budget
from middleware.errors import BudgetExceeded, ToolFailed, ToolTimedOut

FAILED = ToolFailed("OSError", "The tool dig failed.", is_retryable=True)


@dataclass(frozen=True)
class Call:
    """What the layer may know of a call."""

    name: str = "dig"
    call_id: str = "call_1"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    timeout: timedelta | None = None
    retries: int = 0

    async def emit(self, event: Event) -> None:
        raise AssertionError(f"the budget tells nothing: {event}")


def raising(error: Exception) -> Callable[[], Awaitable[ToolResult]]:
    """Return work that fails."""

    async def work() -> ToolResult:
        raise error

    return work


async def well() -> ToolResult:
    return ToolResult(text="dug")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FAILED, ToolResult(text="Error: The tool dig failed.", result_type=ResultType.ERROR)),
        (
            ToolTimedOut("dig", 0.2),
            ToolResult(
                text="Error: The tool dig took longer than the 0.2 seconds it was allowed.",
                result_type=ResultType.TIMEOUT,
            ),
        ),
    ],
    ids=lambda given: type(given).__name__,
)
async def test_a_failed_call_is_a_result_that_says_so(error: Exception, told: ToolResult) -> None:
    result = await Budget().around_tool_call(Call(), raising(error))

    assert result == told


async def test_one_failure_in_a_row_too_many_ends_the_turn() -> None:
    budget = Budget(max_failures=3)
    for _ in range(2):
        await budget.around_tool_call(Call(), raising(FAILED))

    with pytest.raises(BudgetExceeded, match="3 tool calls failed one after the other"):
        await budget.around_tool_call(Call(), raising(ToolTimedOut("dig", 1)))


async def test_a_call_that_ends_well_makes_the_count_begin_again() -> None:
    budget = Budget(max_failures=2)
    for _ in range(5):
        await budget.around_tool_call(Call(), raising(FAILED))
        await budget.around_tool_call(Call(), well)

    last = await budget.around_tool_call(Call(), well)

    assert last == ToolResult(text="dug")
