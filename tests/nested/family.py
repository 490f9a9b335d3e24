"""Agents that let others work, made for one test."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from events.tools import CallType
from hosting.adapters.agents.function import FunctionAgent
from hosting.ports.agents import RunContext, ToolOutcome
from hosting.ports.tools import Tool, ToolContext

Task = tuple[str, str]
"""Which agent is to work, and on what."""


async def delegate(context: RunContext, tasks: Sequence[Task], *, seconds: float | None = None) -> list[ToolOutcome]:
    """Let agents work side by side, each in a call of its own that may take so long."""
    limit = None if seconds is None else timedelta(seconds=seconds)

    async def ask(inside: ToolContext, given: Mapping[str, Any]) -> str:
        return await inside.run_agent(given["agent"], given["task"])

    tool = Tool("delegate", ask, safe_to_retry=True, call_type=CallType.SUB_AGENT, timeout=limit)

    async def write(reply: Any) -> None:
        for agent_id, task in tasks:
            await reply.call(tool.name, {"agent": agent_id, "task": task}, call_type=CallType.SUB_AGENT)

    message = await context.model_call(write, name="delegate", arguments=list(tasks))
    return await context.call_tools(message, [tool])


def boss(tasks: Sequence[Task], agent_id: str = "boss", *, seconds: float | None = None) -> FunctionAgent:
    """Return an agent that delegates all of this, and says what came of it."""

    async def run(context: RunContext) -> None:
        outcomes = await delegate(context, tasks, seconds=seconds)
        text = " | ".join(f"{outcome.result.result_type or 'fine'}: {outcome.text}" for outcome in outcomes)
        await context.model_call(lambda reply: reply.text(text), name="tell", arguments=text)

    return FunctionAgent(agent_id, run, agent_id.title())


class Meeting:
    """Agents that go on only when so many of them are there: their events cannot but interleave."""

    def __init__(self, size: int) -> None:
        self._barrier = asyncio.Barrier(size)

    def agent(self) -> FunctionAgent:
        """Return the agent that meets the others three times while it speaks."""

        async def run(context: RunContext) -> None:
            task = context.input[-1].text

            async def write(reply: Any) -> None:
                for index in range(3):
                    await self._barrier.wait()
                    await reply.text(f"{task} {index} ")

            await context.model_call(write)

        return FunctionAgent("meets", run, "Meets")
