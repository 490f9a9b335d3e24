"""The layer that calls a tool again which has failed."""

import asyncio
from datetime import timedelta
from typing import Final

from events.retries import FunctionRetry
from events.tools import ToolResult
from middleware.errors import AgentError, ToolFailed, sentence_of
from middleware.pipeline import ToolCall, Work

_LONGEST_PAUSE: Final = timedelta(seconds=30)


class Retry:
    """Makes a tool call again, as often as the tool allows, after a pause that doubles; each is told first."""

    def __init__(self, first_pause: timedelta = timedelta(seconds=1)) -> None:
        self._first_pause = first_pause

    async def around_tool_call(self, call: ToolCall, work: Work[ToolResult]) -> ToolResult:
        """See ToolLayer.around_tool_call; what fails for the last time is raised as it is."""
        for attempt in range(1, call.retries + 1):
            try:
                return await work()
            except (ToolFailed, AgentError) as error:
                if not error.is_retryable:
                    raise
                await self._pause(call, attempt, error)
        return await work()

    async def _pause(self, call: ToolCall, attempt: int, error: ToolFailed | AgentError) -> None:
        pause = min(self._first_pause * 2 ** (attempt - 1), _LONGEST_PAUSE)
        told = error.message if isinstance(error, ToolFailed) else sentence_of(error, "The tool failed.")
        kind = error.error_type if isinstance(error, ToolFailed) else type(error).__name__
        await call.emit(
            FunctionRetry(
                function_name=call.name,
                attempt=attempt,
                max_retries=call.retries,
                delay=pause,
                exception_type=kind,
                error_message=told,
            )
        )
        await asyncio.sleep(pause.total_seconds())
