"""A model call that fails in the middle is made again, and what it had said is no part of the conversation."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess


@pytest.fixture
async def flaky(make_server: Callable[..., ServerProcess], sqlite_url: str) -> AsyncIterator[Client]:
    """A client of the flaky agent."""
    server = make_server(sqlite_url, str(Path(__file__).parent / "flaky_agents.py")).start()
    async with Client(server.url, agent="flaky") as client:
        yield client


async def test_a_message_that_is_made_again_is_left_out(flaky: Client) -> None:
    session = await flaky.session()

    accepted = await flaky.accepted(session, "hello")
    run = await flaky.ended(session, accepted["runtimeRunId"])

    log = await flaky.log(session)
    told = [event["type"] for event in log[5:]]
    assert run["status"] == "completed"
    assert told[:10] == [
        "MESSAGE_TURN_STARTED",
        "AGENT_TURN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_DELTA",
        "TEXT_MESSAGE_END",
        "TOOL_CALL_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_RESULT",
        "TOOL_CALL_END",
        "MODEL_CALL_RETRY",
    ]
    texts = [event["text"] for event in log if event["type"] == "TEXT_DELTA"]
    assert texts == ["try 1", "try 2", "history: ['hello', 'try 2']"]
