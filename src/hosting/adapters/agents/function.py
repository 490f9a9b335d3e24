"""Agents made of a function: the shortest way to host one's own code."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast

from events.ids import is_client_id, is_name
from hosting.ports.agents import NO_LIMITS, Limits, Reply, RunContext

Coroutine = Callable[[RunContext], Awaitable[None]]
Generator = Callable[[RunContext], AsyncGenerator[str]]


class FunctionAgent:
    """An agent made of an async function that takes the run context.

    A generator's pieces become the text of one message; a coroutine writes what it likes through the context.
    """

    def __init__(
        self, agent_id: str, function: Coroutine | Generator, name: str | None = None, limits: Limits = NO_LIMITS
    ) -> None:
        self.agent_id = agent_id
        self.limits = limits
        self.name = name or agent_id
        self._function = function

    async def run(self, context: RunContext) -> None:
        """See Agent.run."""
        if not inspect.isasyncgenfunction(self._function):
            await cast("Coroutine", self._function)(context)
            return
        pieces = cast("Generator", self._function)

        async def write(reply: Reply) -> None:
            # Closed here, also when a piece is refused: its `finally` must run before the run ends.
            async with aclosing(pieces(context)) as said:
                async for piece in said:
                    await reply.text(piece)

        await context.model_call(write, name=self.agent_id)


def agent(agent_id: str, *, name: str | None = None, limits: Limits = NO_LIMITS) -> Callable[[Any], FunctionAgent]:
    """Make an agent of an async function; `branchline serve` hosts every agent that it finds in a module.

    Raises:
        TypeError: the function is not async, or its id or name is no text.
        ValueError: the id cannot stand in a path, or the name cannot be stored.
    """
    if not isinstance(agent_id, str) or not isinstance(name, str | None):
        raise TypeError("The id and the name of an agent must be texts; write @agent('its-id').")
    if not is_client_id(agent_id):
        raise ValueError(f"The agent id {agent_id!r:.100} must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
    if name is not None and not is_name(name):
        raise ValueError(f"The agent name {name!r:.100} holds a NUL or half a surrogate pair.")

    def decorate(function: Any) -> FunctionAgent:
        if not inspect.iscoroutinefunction(function) and not inspect.isasyncgenfunction(function):
            raise TypeError(f"{function!r} must be an async function or an async generator.")
        return FunctionAgent(agent_id, function, name, limits)

    return decorate
