"""An interrupt that was accepted is heeded, and told once, whatever happens to the server that holds the run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import types
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Talk, talking

# Deaf to the interrupt, so that the server can be killed while it waits for them to end.
SOURCE = """
import asyncio
from contextlib import suppress

import hosting
from hosting.ports.tools import Tool


async def hear_nothing():
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)


@hosting.agent("deaf")
async def deaf(context):
    async def write(reply):
        await reply.text("I go on")
        await hear_nothing()

    await context.model_call(write)


@hosting.agent("boss")
async def boss(context):
    async def ask(inside, arguments):
        return await inside.run_agent("deaf", "Go on.")

    message = await context.model_call(lambda reply: reply.call("ask"))
    outcomes = await context.call_tools(message, [Tool("ask", ask, safe_to_retry=True)])
    await context.model_call(lambda reply: reply.text(outcomes[0].text))
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The agents, to be served."""
    (tmp_path / "deaf.py").write_text(SOURCE)
    return "deaf.py"


def _is(wire_type: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["type"] == wire_type


async def test_a_run_that_was_killed_while_it_was_being_interrupted_ends_once(
    make_server: Callable[..., ServerProcess], database_url: str, file: str
) -> None:
    server = make_server(database_url, file, lease_seconds=1.5).start()
    async with talking(server.url, "deaf") as talk:
        await talk.say("go")
        await talk.logged(_is("TEXT_DELTA"))
        assert (await talk.interrupt(reason="Enough.")).status_code == 202
        before = await talk.logged(_is("INTERRUPTION_HANDLED"))
        session = talk.session

    server.kill()
    server.start()

    async with Client(server.url, "deaf") as client:
        log = await Talk(client, session).idle()
    assert log[: len(before)] == before
    closed_by = ["TEXT_MESSAGE_END", "AGENT_TURN_FINISHED", "MESSAGE_TURN_FINISHED", "BRANCH_RUN_COMPLETED"]
    assert types(log[len(before) :]) == closed_by
    assert (log[-1]["status"], log[-1]["reason"]) == ("cancelled", "Enough.")
    assert await RawStore(database_url).run("SELECT * FROM interrupts") == []


async def test_nested_work_that_was_killed_while_it_was_being_interrupted_ends_once_and_the_run_goes_on(
    make_server: Callable[..., ServerProcess], database_url: str, file: str
) -> None:
    server = make_server(database_url, file, lease_seconds=1.5).start()
    async with talking(server.url, "boss") as talk:
        await talk.say("go")
        log = await talk.logged(_is("TEXT_DELTA"))
        inner = next(event["eventFlowId"] for event in log if event.get("metadata"))
        assert (await talk.interrupt(reason="Enough.", eventFlowId=inner)).status_code == 202
        await talk.logged(_is("INTERRUPTION_HANDLED"))
        session = talk.session

    server.kill()
    server.start()

    async with Client(server.url, "boss") as client:
        log = await Talk(client, session).idle()
    assert log[-1]["status"] == "completed"
    handled = [event["eventFlowId"] for event in log if event["type"] == "INTERRUPTION_HANDLED"]
    assert handled == [inner]
    ends = [event for event in log if event["type"] == "MESSAGE_TURN_FINISHED"]
    assert [(end["eventFlowId"] == inner, end.get("terminationReason")) for end in ends] == [
        (True, "interrupted"),
        (False, None),
    ]


async def test_a_run_is_ended_by_who_takes_it_over_when_its_server_never_heard_of_the_interrupt(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    # The one that holds the run does not look; the other takes over as soon as the lease has run out.
    holder = make_server(url, lease_seconds=1.5, sweep_seconds=600).start()
    heir = make_server(url, lease_seconds=1.5, sweep_seconds=0.1).start()
    async with talking(holder.url) as talk, Client(heir.url) as client:
        await talk.say("/parallel")
        before = await talk.logged(lambda event: event.get("functionName") == "delete_file")
        elsewhere = Talk(client, talk.session)

        answer = await elsewhere.interrupt(reason="Enough.")
        holder.kill()
        log = await elsewhere.idle()

    assert answer.status_code == 202
    assert log[: len(before)] == before
    assert types(log[len(before) :]) == [
        "INTERRUPTION_HANDLED",
        *["AGENT_REQUEST_CANCELLED"] * 3,
        *["TOOL_CALL_RESULT", "TOOL_CALL_END"] * 3,
        "AGENT_TURN_FINISHED",
        "MESSAGE_TURN_FINISHED",
        "BRANCH_RUN_COMPLETED",
    ]
    assert (log[-1]["status"], log[-1]["reason"]) == ("cancelled", "Enough.")
    assert await RawStore(url).run("SELECT * FROM interrupts") == []
