"""Wherever an interrupt finds an agent, and however the agent takes it, the run is closed in exactly the same way."""

import asyncio
import json
from typing import NamedTuple

import pytest

from tests.harness.client import Client
from tests.harness.order import types
from tests.interrupt.hosted import hosted
from tests.interrupt.stage import Manner, Stage, goes_on, obeys, raises, staged_agent, writes
from tests.interrupt.talk import Log, Talk


class Point(NamedTuple):
    """Where the agent is, how many questions were answered on the way, and what is open there."""

    name: str
    answers: int
    closed_by: tuple[str, ...] = ()


CALL = ("TOOL_CALL_RESULT", "TOOL_CALL_END")
MODEL = ("AGENT_TURN_FINISHED",)
CANCELLED = ("AGENT_REQUEST_CANCELLED",)
POINTS = (
    Point("before the first model call", 0),
    Point("before the text", 0, MODEL),
    Point("in the text", 0, ("TEXT_MESSAGE_END", *MODEL)),
    Point("behind a call", 0, (*CALL, *MODEL)),
    Point("behind two calls", 0, (*CALL, *CALL, *MODEL)),
    Point("before the tools", 0, (*CALL, *CALL, *MODEL)),
    Point("in a tool", 0, (*CANCELLED, *CALL, *CALL, *MODEL)),
    Point("PERMISSION_REQUEST", 0, (*CANCELLED, *CALL, *MODEL)),
    Point("in a gated tool", 1, (*CALL, *MODEL)),
    Point("behind the tools", 1),
    Point("CLARIFICATION_REQUEST", 1, CANCELLED),
    Point("behind the question", 2),
    Point("in the thought", 2, ("REASONING_MESSAGE_END", *MODEL)),
    Point("behind the text", 2, ("TEXT_MESSAGE_END", *MODEL)),
    Point("behind all", 2),
)


UNDISTURBED = [
    "BRANCH_CREATED",
    "BRANCH_RUN_STARTED",
    "MESSAGE_STARTED",
    "CONTENT_ADDED",
    "MESSAGE_COMPLETED",
    "MESSAGE_TURN_STARTED",
    "AGENT_TURN_STARTED",
    "TEXT_MESSAGE_START",
    "TEXT_DELTA",
    "TEXT_MESSAGE_END",
    "TOOL_CALL_START",
    "TOOL_CALL_ARGS",
    "TOOL_CALL_START",
    "TOOL_CALL_ARGS",
    "PERMISSION_REQUEST",
    *CALL,
    "PERMISSION_RESPONSE",
    "PERMISSION_APPROVED",
    *CALL,
    *MODEL,
    "CLARIFICATION_REQUEST",
    "CLARIFICATION_RESPONSE",
    "AGENT_TURN_STARTED",
    "REASONING_MESSAGE_START",
    "REASONING_DELTA",
    "REASONING_MESSAGE_END",
    "TEXT_MESSAGE_START",
    "TEXT_DELTA",
    "TEXT_MESSAGE_END",
    *MODEL,
    "MESSAGE_TURN_FINISHED",
    "BRANCH_RUN_COMPLETED",
]


async def _reach(talk: Talk, point: Point, stage: Stage) -> None:
    """Let the agent come to the point."""
    await talk.say("go")
    if point.answers or point.name == "PERMISSION_REQUEST":
        asked = await talk.asked()
        await talk.logged(lambda event: event["type"] == "TOOL_CALL_END")
    if point.answers:
        await talk.answer(asked[0], approved=True)
    if point.answers > 1 or point.name == "CLARIFICATION_REQUEST":
        asked = await talk.asked()
    if point.answers > 1:
        await talk.answer(asked[0], question=asked[0]["request"]["question"], answer="this")
    if not point.name.isupper():
        await stage.reached.wait()


async def test_nobody_disturbs_the_run_and_it_has_all_of_these_events(database_url: str) -> None:
    stages: dict[str, Stage] = {}
    async with hosted(database_url, [staged_agent(stages)]) as (url, _), Client(url, "staged") as client:
        talk = await Talk.begin(client)
        stage = stages[talk.session] = Stage("nowhere")
        stage.reached.set()

        await _reach(talk, POINTS[-1], stage)
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
            await _reach(talk, point, stage)
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
