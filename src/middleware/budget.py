"""The layer that ends a run whose tools fail again and again."""

from typing import Final

from events.tools import ResultType, ToolResult
from middleware.errors import BudgetExceeded, ToolFailed, ToolTimedOut
from middleware.pipeline import ToolCall, Work

_FAILURES: Final = 10


class Budget:
    """Turns a failed call into a result that the agent can react to, as long as not too many fail in a row.

    Each turn has one of these.
    """

    def __init__(self, max_failures: int = _FAILURES) -> None:
        self._max_failures = max_failures
        self._failures = 0

    async def around_tool_call(self, call: ToolCall, work: Work[ToolResult]) -> ToolResult:
        """See ToolLayer.around_tool_call.

        Raises:
            BudgetExceeded: this was one failure in a row too many.
        """
        try:
            result = await work()
        except (ToolFailed, ToolTimedOut) as error:
            self._failures += 1
            if self._failures >= self._max_failures:
                raise BudgetExceeded(self._failures) from error
            kind = ResultType.TIMEOUT if isinstance(error, ToolTimedOut) else ResultType.ERROR
            return ToolResult(text=f"Error: {error}", result_type=kind)
        self._failures = 0
        return result
