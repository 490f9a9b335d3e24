"""An agent that ignores the interrupt keeps nobody waiting, and nothing of what it does later is ever seen."""

import asyncio
from contextlib import suppress

import pytest

from tests.harness.client import Client
from tests.harness.order import types
from tests.interrupt.hosted import hosted
from tests.interrupt.stage import Stage, Write, staged_agent
from tests.interrupt.talk import Talk

GRACE_SECONDS = 5


@pytest.mark.parametrize(
    ("point", "closed_by"),
    [
        ("before the first model call", []),
        ("in the text", ["TEXT_MESSAGE_END", "AGENT_TURN_FINISHED"]),
        ("behind a call", ["TOOL_CALL_RESULT", "TOOL_CALL_END", "AGENT_TURN_FINISHED"]),
        ("in a tool", ["AGENT_REQUEST_CANCELLED", *["TOOL_CALL_RESULT", "TOOL_CALL_END"] * 2, "AGENT_TURN_FINISHED"]),
    ],
)
async def test_a_deaf_agent_is_left_behind_after_five_seconds(
    database_url: str, point: str, closed_by: list[str]
) -> None:
    wake, tried = asyncio.Event(), asyncio.Event()

    async def is_deaf(write: Write) -> None:
        while not wake.is_set():
            with suppress(asyncio.CancelledError):
                await wake.wait()
        with suppress(Exception):
            await write()
        tried.set()

    stages: dict[str, Stage] = {}
    async with (
        hosted(database_url, [staged_agent(stages)]) as (url, server),
        Client(url, "staged") as client,
    ):
        talk = await Talk.begin(client)
        stage = stages[talk.session] = Stage(point, is_deaf)
        await talk.say("go")
        await stage.reached.wait()
        async with client.feed(talk.session) as feed:
            began = asyncio.get_running_loop().time()
            first, second = await talk.interrupt(), await talk.interrupt(reason="Now!")
            await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED")
            took = asyncio.get_running_loop().time() - began
        ended = await talk.idle()
        left_behind = len(server.stragglers)

        wake.set()
        await tried.wait()
        await talk.say("recall")
        log = await talk.idle()

    assert [first.status_code, second.status_code] == [202, 202]
    assert first.json()["runtimeRunId"] == second.json()["runtimeRunId"]
    assert GRACE_SECONDS - 0.5 < took < GRACE_SECONDS + 3
    assert left_behind == 1
    handled = types(ended).index("INTERRUPTION_HANDLED")
    assert types(ended)[handled + 1 :] == [*closed_by, "MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]
    assert log[: len(ended)] == ended
    assert log[len(ended)]["type"] == "BRANCH_RUN_STARTED"
    assert [event["text"] for event in log if event.get("text") == "late"] == []
