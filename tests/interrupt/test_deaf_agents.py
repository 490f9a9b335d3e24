"""An agent that ignores the interrupt keeps nobody waiting, and nothing of what it does later is ever seen."""

import asyncio
from contextlib import suppress

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.order import types
from tests.interrupt.hosted import hosted
from tests.interrupt.stage import Stage, Write, staged_agent
from tests.interrupt.talk import Talk

GRACE_SECONDS = 5
CALL = ["TOOL_CALL_RESULT", "TOOL_CALL_END"]
CLOSED_BY = {
    "before the first model call": [],
    "in the text": ["TEXT_MESSAGE_END", "AGENT_TURN_FINISHED"],
    "behind a call": [*CALL, "AGENT_TURN_FINISHED"],
    "in a tool": ["AGENT_REQUEST_CANCELLED", *CALL, *CALL, "AGENT_TURN_FINISHED"],
}


class Deaf:
    """How an agent behaves that hears nothing until it is woken, and then tries to write."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.tried = asyncio.Event()

    async def __call__(self, write: Write) -> None:
        while not self.wake.is_set():
            with suppress(asyncio.CancelledError):
                await self.wake.wait()
        with suppress(Exception):
            await write()
        self.tried.set()


async def test_deaf_agents_are_left_behind_after_five_seconds_and_write_no_more(database_url: str) -> None:
    stages: dict[str, Stage] = {}
    async with (
        hosted(database_url, [staged_agent(stages)]) as (url, server),
        Client(url, "staged") as client,
    ):
        deaf = {point: Deaf() for point in CLOSED_BY}
        talks = {point: await Talk.begin(client) for point in CLOSED_BY}
        stages |= {talk.session: Stage(point, deaf[point]) for point, talk in talks.items()}

        seconds = await asyncio.gather(*(_interrupt(talk, stages[talk.session]) for talk in talks.values()))
        ended = {point: await talk.idle() for point, talk in talks.items()}
        left_behind = len(server.stragglers)
        for point, talk in talks.items():
            deaf[point].wake.set()
            await deaf[point].tried.wait()
            await talk.say("recall")
        logs = {point: await talk.idle() for point, talk in talks.items()}

    assert all(GRACE_SECONDS - 0.5 < took < GRACE_SECONDS + 15 for took in seconds)
    assert left_behind == len(CLOSED_BY)
    for point, log in logs.items():
        handled = types(ended[point]).index("INTERRUPTION_HANDLED")
        closed_by = [*CLOSED_BY[point], "MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]
        assert types(ended[point])[handled + 1 :] == closed_by
        assert log[: len(ended[point])] == ended[point]
        assert log[len(ended[point])]["type"] == "BRANCH_RUN_STARTED"
        assert "late" not in [event.get("text") for event in log]


async def _interrupt(talk: Talk, stage: Stage) -> float:
    """Interrupt twice, the second time while the run ends, and return how long it took to end."""
    loop = asyncio.get_running_loop()
    await talk.say("go")
    await stage.reached.wait()
    async with talk.client.feed(talk.session) as feed:
        began = loop.time()
        answers = await talk.interrupt(), await talk.interrupt(reason="Now!")
        await feed.until(completed)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["runtimeRunId"] == answers[1].json()["runtimeRunId"]
    return loop.time() - began
