"""The tool calls of one message, made through the run's context while pydantic-ai believes that it makes them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from events.tools import ResultType, ToolResult
from hosting.domain.message import Message
from hosting.ports.agents import RunContext, ToolOutcome
from hosting.ports.tools import Tool, ToolContext

Make = Callable[[ToolContext], Awaitable[Any]]
"""Makes a call with pydantic-ai's own means."""

_NOT_MADE: Final = ToolResult(text="The call was not made.", result_type=ResultType.ERROR)


class Batch:
    """Two sides that meet at each call.

    The context asks for permission, keeps the order of events, and lets no call be made twice; pydantic-ai knows how to
    make a call, and when, and is told what it came to.
    """

    def __init__(self, context: RunContext, message: Message, tools: Mapping[str, Tool], offered: Set[str]) -> None:
        loop = asyncio.get_running_loop()
        self._context, self._message = context, message
        self._makers: dict[str, asyncio.Future[Make]] = {call.call_id: loop.create_future() for call in message.calls}
        self._results: dict[str, asyncio.Future[ToolResult]] = {
            call.call_id: loop.create_future() for call in message.calls
        }
        # The client's are known to the context. What nobody knows, pydantic-ai answers itself, without any effect.
        ours = [call.name for call in message.calls if call.name in tools or call.name not in offered]
        self._tools = [replace(tools.get(name) or _answered(name), work=self._meet) for name in ours]
        self._task: asyncio.Task[Any] | None = None

    async def make(self, call_id: str, make: Make) -> ToolResult:
        """Say how a call is made, and return what it came to as soon as that is stored; raises what breaks the run."""
        task, result = self._begin(self._tools), self._results[call_id]
        maker = self._makers[call_id]
        if not maker.done():
            maker.set_result(make)
        await asyncio.wait({task, result}, return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            task.result()
        return await result

    def give_up(self, answers: Mapping[str, ToolResult]) -> None:
        """Let the calls that nobody makes have the answers that pydantic-ai gave them itself."""
        # If it made none at all, nobody must be asked whether it may.
        self._begin([replace(_answered(call.name), work=self._meet) for call in self._message.calls])
        for call_id, maker in self._makers.items():
            if not maker.done():
                maker.set_result(_answering(answers.get(call_id, _NOT_MADE)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = self._task
        if task is None:
            return
        if error is not None:
            task.cancel()
            # Not awaited itself: what it failed with is what the error is, or came of it.
            await asyncio.gather(task, return_exceptions=True)
            return
        await task

    def _begin(self, tools: Sequence[Tool]) -> asyncio.Task[Any]:
        if self._task is None:
            work = self._context.call_tools(self._message, tools, told=self._told)
            self._task = asyncio.create_task(_awaited(work), name="tool calls")
        return self._task

    async def _meet(self, context: ToolContext, arguments: Mapping[str, Any]) -> Any:
        if context.call_id is None:
            raise RuntimeError("A call has an id.")
        make = await self._makers[context.call_id]
        return await make(context)

    def _told(self, outcome: ToolOutcome) -> None:
        self._results[outcome.call_id].set_result(outcome.result)


def _answered(name: str) -> Tool:
    return Tool(name, _nobody, is_there=False)


async def _nobody(context: ToolContext, arguments: Mapping[str, Any]) -> Any:
    raise RuntimeError("A call is made where its batch meets.")


def _answering(result: ToolResult) -> Make:
    async def answer(context: ToolContext) -> ToolResult:
        return result

    return answer


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
