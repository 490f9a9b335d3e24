"""The agent's part of a run, in a task of its own: whatever it does there, the run can end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hosting.ports.agents import Agent, RunContext
from middleware.errors import AgentError

_log = structlog.get_logger("branchline.agent")

_GRACE_SECONDS: Final = 5.0

Stragglers = set[asyncio.Task[BaseException | None]]
"""The tasks of agents that went on after they were told to stop; nothing they do reaches a log any more."""


class AgentCancelled(AgentError):
    """The agent cancelled itself."""

    def __init__(self) -> None:
        super().__init__("The agent cancelled itself.")


async def run_agent(agent: Agent, context: RunContext, stragglers: Stragglers, withdraw: Callable[[], None]) -> None:
    """Let an agent answer; raises what it raises.

    When this is cancelled the agent is, too, and `withdraw` takes from it what it writes with; one that ignores that
    for five seconds is left among the stragglers.

    Raises:
        AgentCancelled: the agent was cancelled, and not by us.
    """
    task = asyncio.create_task(_caught(agent.run(context)), name=f"agent {context.run_id}")
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        # First: what the agent has open is closed by whoever stops it, or goes on when the server has started again.
        # Only when it was not withdrawn does something in it end for a reason of the agent's own.
        withdraw()
        await _stop(task, stragglers)
        raise
    if task.cancelled():
        raise AgentCancelled
    error = task.result()
    if error is not None:
        raise error


async def _caught(work: Awaitable[None]) -> BaseException | None:
    try:
        await work
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - a SystemExit that left the task would end the server
        return error
    return None


async def _stop(task: asyncio.Task[BaseException | None], stragglers: Stragglers) -> None:
    task.cancel()
    stragglers.add(task)
    task.add_done_callback(stragglers.discard)
    await asyncio.wait({task}, timeout=_GRACE_SECONDS)
    if not task.done():
        _log.warning("an agent ignores that it was cancelled; it is left behind", task=task.get_name())
