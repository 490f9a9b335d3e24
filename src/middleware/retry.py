"""The layer that makes a call again which has failed."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol, TypeVar

from events.event import Event
from events.retries import FunctionRetry, ModelCallRetry
from events.tools import ToolResult
from middleware.errors import AgentError, ModelFailed, ModelUnavailable, ToolFailed, sentence_of
from middleware.pipeline import ToolCall, Work

T = TypeVar("T")

_LONGEST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_WISH: Final = timedelta(seconds=60)


class ModelCall(Protocol):
    """What layers may know of a model call, and do beside it."""

    @property
    def model_retries(self) -> int:
        """How often the call is made again when it has failed and may succeed the next time."""
        ...

    async def emit(self, event: Event) -> None:
        """Put an event on the branch."""
        ...


class Retry:
    """Makes a call again, as often as it allows, after a pause that doubles; each is told first.

    A model's pauses are between half and the whole of that length, as `chance` (from 0 to 1) has it: calls that failed
    together must not come back together. A provider that says how long it wants to be left alone is left alone for
    that long; where that is more than a minute, the call is not made again.
    """

    def __init__(
        self, first_pause: timedelta = timedelta(seconds=1), *, chance: Callable[[], float] = random.random
    ) -> None:
        self._first_pause = first_pause
        self._chance = chance

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

    async def around_model_call(self, call: ModelCall, work: Work[T]) -> T:
        """Make a model call; what fails for the last time, or can never succeed, is raised as it is."""
        for attempt in range(1, call.model_retries + 1):
            try:
                return await work()
            except AgentError as error:
                if not is_made_again(error):
                    raise
                pause = self._pause_after(error, attempt)
                await call.emit(_told(call, attempt, pause, error))
                await asyncio.sleep(pause.total_seconds())
        return await work()

    def _length(self, attempt: int) -> timedelta:
        doubled: timedelta = self._first_pause * 2 ** (attempt - 1)
        return min(doubled, _LONGEST_PAUSE)

    def _pause_after(self, error: AgentError, attempt: int) -> timedelta:
        chance = self._chance()
        pause = self._length(attempt) * (1 + chance) / 2
        wish = error.retry_after if isinstance(error, ModelFailed) else None
        return pause if wish is None else max(pause, wish * (1 + chance / 10))

    async def _pause(self, call: ToolCall, attempt: int, error: ToolFailed | AgentError) -> None:
        pause = self._length(attempt)
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


def is_made_again(error: BaseException) -> bool:
    """Say whether a model call that failed so is made again, as long as it may be."""
    if not isinstance(error, AgentError) or not error.is_retryable or isinstance(error, ModelUnavailable):
        return False
    wish = error.retry_after if isinstance(error, ModelFailed) else None
    return wish is None or wish <= _LONGEST_WISH


def _told(call: ModelCall, attempt: int, pause: timedelta, error: AgentError) -> ModelCallRetry:
    return ModelCallRetry(
        attempt=attempt,
        max_retries=call.model_retries,
        delay=pause,
        exception_type=type(error).__name__,
        error_message=sentence_of(error, "The model failed."),
        category=error.category if isinstance(error, ModelFailed) else None,
    )
