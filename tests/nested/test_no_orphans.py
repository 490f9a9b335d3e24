"""When a run has ended, nothing of it is at work any more, however deep it was."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from hosting.adapters.agents.function import FunctionAgent
from hosting.ports.agents import RunContext
from tests.harness.feed import completed
from tests.interrupt.hosted import hosted
from tests.interrupt.talk import Talk, talking
from tests.nested.family import boss

WITHIN_SECONDS = 2


class Depths:
    """Subagents that are at work until they are cancelled, and whether each of them was."""

    def __init__(self) -> None:
        self.at_work = asyncio.Semaphore(0)
        self.cancelled: list[str] = []

    def agent(self) -> FunctionAgent:
        """Return the agent at the bottom: it speaks, and asks, until it is cancelled."""

        async def run(context: RunContext) -> None:
            async def write(reply: Any) -> None:
                await reply.text("Well, ")
                self.at_work.release()
                await asyncio.Event().wait()

            try:
                await context.model_call(write)
            except asyncio.CancelledError:
                self.cancelled.append(context.input[-1].text)
                raise

        return FunctionAgent("works", run, "Works")


async def _at_work() -> set[asyncio.Task[Any]]:
    """Return all tasks but the test's own."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def _of_agents(tasks: Iterable[asyncio.Task[Any]]) -> list[str]:
    return [task.get_name() for task in tasks if task.get_name().startswith("agent ")]


async def _interrupt_inside(talk: Talk, run_id: str) -> None:
    """Interrupt the two turns that the run's own turn is waiting for."""
    for event in await talk.log():
        begun = event["type"] == "MESSAGE_TURN_STARTED" and event["runtimeRunId"] == run_id
        if begun and event.get("metadata", {}).get("depth") == 1:
            assert (await talk.interrupt(eventFlowId=event["messageTurnId"])).status_code == 202


@pytest.mark.parametrize("way", ["interrupted", "interrupted inside", "timed out"])
async def test_no_task_is_left_of_five_agents_at_three_depths(database_url: str, way: str) -> None:
    depths = Depths()
    agents = [
        depths.agent(),
        boss([("works", "one"), ("works", "two")], "middle"),
        boss([("middle", "Both!"), ("works", "three")]),
    ]
    async with hosted(database_url, agents) as (url, server), talking(url, "boss") as talk:
        before = await _at_work()
        limit = {"runConfig": {"runTimeout": "PT1S"}} if way == "timed out" else {}
        run_id = (await talk.say("go", **limit))["runtimeRunId"]
        for _ in range(3):
            await depths.at_work.acquire()
        during = _of_agents(await _at_work())

        async with talk.client.feed(talk.session) as feed:
            if way == "interrupted":
                await talk.interrupt()
            elif way == "interrupted inside":
                await _interrupt_inside(talk, run_id)
            await feed.until(completed, seconds=WITHIN_SECONDS)
        log = await talk.idle()
        # What serves the requests of this test comes and goes, and is gone by then, too.
        left = await talk.until(_at_work, lambda tasks: tasks <= before, seconds=WITHIN_SECONDS)

    status = {"interrupted": "cancelled", "interrupted inside": "completed", "timed out": "failed"}[way]
    assert log[-1]["status"] == status
    assert during == [f"agent {run_id}"] * 5
    assert left <= before
    assert sorted(depths.cancelled) == ["one", "three", "two"]
    assert server.stragglers == set()
