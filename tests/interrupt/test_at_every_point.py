"""Wherever an interrupt finds an agent, and however the agent takes it, the run is closed in exactly the same way."""

import asyncio
import json

import pytest

from tests.harness.client import Client
from tests.harness.order import types
from tests.interrupt.hosted import hosted
from tests.interrupt.points import POINTS, UNDISTURBED, Point, reach
from tests.interrupt.stage import Manner, Stage, goes_on, obeys, raises, staged_agent, writes
from tests.interrupt.talk import Log, Talk


async def test_nobody_disturbs_the_run_and_it_has_all_of_these_events(database_url: str) -> None:
    stages: dict[str, Stage] = {}
    async with hosted(database_url, [staged_agent(stages)]) as (url, _), Client(url, "staged") as client:
        talk = await Talk.begin(client)
        stage = stages[talk.session] = Stage("nowhere")
        stage.reached.set()

        await reach(talk, POINTS[-1], stage)
        log = await talk.idle()

    assert types(log) == UNDISTURBED


async def _recalled(talk: Talk) -> list[list[str]]:
    """Return what the next run knows of the conversation: it works, and it knows what was said, to the letter."""
    await talk.say("recall")
    said = [event["text"] for event in await talk.idle() if event["type"] == "TEXT_DELTA"]
    recalled: list[list[str]] = json.loads(said[-1])
    return recalled


def _told(log: Log) -> list[list[str]]:
    texts: dict[str, str] = {}
    for event in log:
        if event["type"] in {"MESSAGE_STARTED", "TEXT_MESSAGE_START", "REASONING_MESSAGE_START", "TOOL_CALL_START"}:
            texts.setdefault(event["messageId"], "")
        elif event["type"] == "TEXT_DELTA":
            texts[event["messageId"]] += event["text"]
        elif event["type"] == "CONTENT_ADDED":
            texts[event["messageId"]] += event["content"]["text"]
    return [list(told) for told in texts.items()]


@pytest.mark.parametrize("manner", [obeys, goes_on, raises, writes])
async def test_a_run_is_closed_in_order_wherever_it_is_interrupted(database_url: str, manner: Manner) -> None:
    stages: dict[str, Stage] = {}
    tails: dict[str, list[str]] = {}
    async with hosted(database_url, [staged_agent(stages)]) as (url, _), Client(url, "staged") as client:

        async def interrupt(point: Point) -> None:
            talk = await Talk.begin(client)
            stage = stages[talk.session] = Stage(point.name, manner)
            await reach(talk, point, stage)
            assert (await talk.interrupt(reason="Enough.")).status_code == 202
            log = await talk.idle()
            handled = [event["type"] for event in log].index("INTERRUPTION_HANDLED")
            assert types(log[:handled]) == UNDISTURBED[: len(types(log[:handled]))]
            tails[point.name] = types(log[handled:])
            assert await _recalled(talk) == _told(log)
            assert (await talk.get(""))["messageCount"] == len(_told(log)) + 2

        await asyncio.gather(*map(interrupt, POINTS))

    assert tails == {
        point.name: ["INTERRUPTION_HANDLED", *point.closed_by, "MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]
        for point in POINTS
    }
