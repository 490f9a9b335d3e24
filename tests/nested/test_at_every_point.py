"""Wherever an interrupt finds a subagent, and however that takes it, its turn is closed in exactly the same way."""

import asyncio

import pytest

from tests.harness.client import Client
from tests.harness.order import types
from tests.interrupt.hosted import hosted
from tests.interrupt.points import POINTS, Point, reach
from tests.interrupt.stage import Manner, Stage, goes_on, obeys, raises, staged_agent, writes
from tests.interrupt.talk import Talk
from tests.nested.family import boss

MANNERS = [obeys, goes_on, raises, writes]
DELEGATED = ["TOOL_CALL_RESULT", "TOOL_CALL_END", "AGENT_TURN_FINISHED"]


@pytest.mark.parametrize("manner", MANNERS)
async def test_a_subagent_is_closed_in_order_wherever_it_is_interrupted(database_url: str, manner: Manner) -> None:
    stages: dict[str, Stage] = {}
    tails: dict[tuple[str, bool], list[str]] = {}
    agents = [staged_agent(stages), boss([("staged", "go")])]
    async with hosted(database_url, agents) as (url, _), Client(url, "boss") as client:

        async def interrupt(point: Point, *, alone: bool) -> None:
            talk = await Talk.begin(client)
            stage = stages[talk.session] = Stage(point.name, manner)
            await reach(talk, point, stage)
            turns = [event for event in await talk.log() if event["type"] == "MESSAGE_TURN_STARTED"]
            flow = {"eventFlowId": turns[1]["messageTurnId"]} if alone else {}
            assert (await talk.interrupt(reason="Enough.", **flow)).status_code == 202
            log = await talk.idle()
            handled = [event["type"] for event in log].index("INTERRUPTION_HANDLED")
            tails[point.name, alone] = types(log[handled:])
            assert log[-1]["status"] == ("completed" if alone else "cancelled")

        await asyncio.gather(*(interrupt(point, alone=alone) for point in POINTS for alone in (True, False)))

    said = ["AGENT_TURN_STARTED", "TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END", "AGENT_TURN_FINISHED"]
    for point in POINTS:
        closed = ["INTERRUPTION_HANDLED", *point.closed_by, "MESSAGE_TURN_FINISHED", *DELEGATED]
        ended = ["MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]
        assert tails[point.name, True] == [*closed, *said, *ended]
        assert tails[point.name, False] == [*closed, *ended]
