"""Agents made of a function: the shortest way to host one's own code."""

import inspect
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, cast, overload

from events.compaction import CompactionStrategy
from events.ids import is_client_id, is_name
from hosting.ports.agents import NO_LIMITS, Limits, Reply, RunContext
from hosting.ports.summaries import Summarize, Summary, SummaryContext, ToSummarize
from middleware.compaction_policy import CompactionPolicy
from middleware.errors import AgentError

Coroutine = Callable[[RunContext], Awaitable[str | None]]
Generator = Callable[[RunContext], AsyncGenerator[str, None]]
AgentFunction = Coroutine | Generator


class AnswerRefused(AgentError):
    """An agent's function returned what cannot be said."""

    def __init__(self, returned: object) -> None:
        super().__init__(
            f"The agent returned a value of type {type(returned).__name__}; it returns a text, or nothing."
        )


class FunctionAgent:
    """An agent made of an async function that takes the run context.

    A generator's pieces become the text of one message. What a coroutine returns is said, if it is a text; besides that
    it writes what it likes through the context. `summarize` is asked when its history is compacted.
    """

    def __init__(
        self,
        agent_id: str,
        function: AgentFunction,
        name: str | None = None,
        limits: Limits = NO_LIMITS,
        *,
        compaction: CompactionPolicy | None = None,
        summarize: Summarize | None = None,
    ) -> None:
        self.agent_id = agent_id
        self.limits = limits
        self.name = name or agent_id
        self.function = function
        self.compaction = compaction
        self._summarize = summarize

    @property
    def can_summarize(self) -> bool:
        """See Summarizing.can_summarize."""
        return self._summarize is not None

    async def summarize(self, context: SummaryContext, wanted: ToSummarize) -> Summary:
        """See Summarizing.summarize."""
        if self._summarize is None:
            raise TypeError(f"The agent {self.agent_id} has nothing that summarises.")
        return Summary(await self._summarize(wanted))

    async def run(self, context: RunContext) -> None:
        """See Agent.run.

        Raises:
            AnswerRefused: the function returned neither a text nor None.
        """
        if inspect.isasyncgenfunction(self.function):
            await self._write(context, cast("Generator", self.function))
            return
        answer = await cast("Coroutine", self.function)(context)
        if isinstance(answer, str):
            await context.say(answer)
        elif answer is not None:
            raise AnswerRefused(answer)

    async def _write(self, context: RunContext, pieces: Generator) -> None:
        async def write(reply: Reply) -> None:
            # Closed here, also when a piece is refused: its `finally` must run before the run ends.
            async with aclosing(pieces(context)) as said:
                async for piece in said:
                    await reply.text(piece)

        # Not said, but called: what is made again when it has failed is the generator, from its first line.
        await context.model_call(write, name=self.agent_id)


@overload
def agent(function: AgentFunction, /) -> FunctionAgent: ...


@overload
def agent(
    agent_id: str | None = None,
    /,
    *,
    name: str | None = None,
    limits: Limits = NO_LIMITS,
    compaction: CompactionPolicy | None = None,
    summarize: Summarize | None = None,
) -> Callable[[AgentFunction], FunctionAgent]: ...


def agent(
    agent_id: Any = None,
    /,
    *,
    name: str | None = None,
    limits: Limits = NO_LIMITS,
    compaction: CompactionPolicy | None = None,
    summarize: Summarize | None = None,
) -> Any:
    """Make an agent of an async function; `branchline serve` hosts every agent that it finds in a module.

    Written bare, or without an id, the id is the function's name. `compaction` says when its history is compacted, and
    `summarize` is an async function that is given what is to be summarised and returns the summary.

    Raises:
        TypeError: the function is not async, or its id or name is no text.
        ValueError: the id cannot stand in a path, the name cannot be stored, or nothing makes the summaries.
    """
    if callable(agent_id):
        return agent()(agent_id)
    if not isinstance(agent_id, str | None) or not isinstance(name, str | None):
        raise TypeError("The id and the name of an agent must be texts; write @agent, or @agent('its-id').")
    if name is not None and not is_name(name):
        raise ValueError(f"The agent name {name!r:.100} holds a NUL or half a surrogate pair.")

    if compaction is not None and compaction.strategy is CompactionStrategy.SUMMARY and summarize is None:
        raise ValueError("Compaction by summaries needs something that makes them; say summarize= too.")

    def decorate(function: AgentFunction) -> FunctionAgent:
        if not is_agent_function(function):
            raise TypeError(f"{function!r} must be an async function or an async generator that takes the context.")
        chosen = function.__name__ if agent_id is None else agent_id
        if not is_client_id(chosen):
            raise ValueError(f"The agent id {chosen!r:.100} must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
        return FunctionAgent(chosen, function, name, limits, compaction=compaction, summarize=summarize)

    return decorate


def is_agent_function(value: Any) -> bool:
    """Say whether something is an async function, or generator, that can be called with the context alone."""
    if not inspect.iscoroutinefunction(value) and not inspect.isasyncgenfunction(value):
        return False
    try:
        inspect.signature(value).bind(None)
    except TypeError:
        return False
    return True


def takes_run_context(function: Any, *, annotated: bool = False) -> bool:
    """Say whether an async function was meant as an agent: all that it needs is a bare `context`, or a RunContext.

    With `annotated`, only a RunContext counts.
    """
    if not is_agent_function(function):
        return False
    first, *others = inspect.signature(function).parameters.values()
    if any(other.default is inspect.Parameter.empty for other in others):
        return False
    if first.annotation is inspect.Parameter.empty:
        return first.name == "context" and not annotated
    return is_run_context(function, first)


def is_run_context(function: Any, parameter: inspect.Parameter) -> bool:
    """Say whether a parameter of a function is annotated with our RunContext, and not with another of that name.

    Others have one, too: pydantic-ai's is what its tools take, and a tool that is hosted as an agent asks nobody.
    """
    names = getattr(inspect.unwrap(function), "__globals__", {})
    annotations = {parameter.name: parameter.annotation}
    try:
        types = typing.get_type_hints(SimpleNamespace(__annotations__=annotations), names)
    except Exception:  # noqa: BLE001 - a text can be any expression; what cannot be looked up may be anything
        return False
    return types.get(parameter.name) is RunContext
