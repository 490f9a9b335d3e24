"""The layer that ends what takes too long."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from events.tools import ToolResult
from middleware.errors import RunTimedOut, ToolTimedOut
from middleware.pipeline import ToolCall, TurnContext, Work

T = TypeVar("T")


class Timeout:
    """Ends a turn, or one try of a tool call, that takes longer than it may."""

    async def around_turn(self, context: TurnContext, turn: Work[None]) -> None:
        """See TurnLayer.around_turn.

        Raises:
            RunTimedOut: it took longer than `run_timeout`.
        """
        await _within(context.run_timeout, turn, RunTimedOut, took=context.run_took)

    async def around_tool_call(self, call: ToolCall, work: Work[ToolResult]) -> ToolResult:
        """See ToolLayer.around_tool_call.

        Raises:
            ToolTimedOut: it took longer than the tool's `timeout`.
        """
        return await _within(call.timeout, work, lambda seconds: ToolTimedOut(call.name, seconds))


async def _within(
    limit: timedelta | None, work: Work[T], late: Callable[[float], Exception], *, took: timedelta = timedelta()
) -> T:
    if limit is None:
        return await work()
    seconds = limit.total_seconds()
    clock = asyncio.timeout(max(0.0, seconds - took.total_seconds()))
    try:
        async with clock:
            return await work()
    except TimeoutError as error:
        # A TimeoutError of the work's own is its own failure.
        if not clock.expired():
            raise
        raise late(seconds) from error
