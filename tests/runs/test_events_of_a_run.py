"""What a run writes: the order of its events and their exact bytes."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.runs.written import named

WIRE = Path(__file__).parent / "wire"
PLACED = ["version", "type", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId"]
TRACED = {
    "MESSAGE_TURN_STARTED",
    "MESSAGE_TURN_FINISHED",
    "MESSAGE_TURN_ERROR",
    "AGENT_TURN_STARTED",
    "AGENT_TURN_FINISHED",
    "TEXT_MESSAGE_START",
    "TEXT_MESSAGE_END",
    "REASONING_MESSAGE_START",
    "REASONING_MESSAGE_END",
}


@pytest.mark.parametrize(("text", "wire"), [("Hi", "plain"), ("/fail", "failing"), ("/reason", "reasoning")])
async def test_a_run_writes_exactly_these_bytes(client: Client, text: str, wire: str) -> None:
    session = await client.session()

    accepted = await client.accepted(session, text)
    async with client.feed(session, after=_epoch(accepted) + ".0") as feed:
        frames = await feed.until(completed)

    assert (WIRE / f"{wire}.jsonl").read_text("utf-8").splitlines() == named([str(frame.data) for frame in frames])
    assert await client.log_lines(session) == [frame.data for frame in frames]


@pytest.mark.parametrize("text", ["Hi", "/fail", "/reason"])
async def test_common_members_are_written_where_they_say_something(client: Client, text: str) -> None:
    session = await client.session()

    accepted = await client.accepted(session, text)
    async with client.feed(session, after=_epoch(accepted) + ".0") as feed:
        events = [frame.json for frame in await feed.until(completed)]

    for seq, event in enumerate(events, 1):
        assert list(event)[:7] == PLACED
        assert event["eventId"] == f"{_epoch(accepted)}.{seq}"
        assert (event["sequenceNumber"], event["sessionId"], event["branchId"]) == (seq, session, "main")
        assert not {"channel", "direction", "canInterrupt", "metadata", "exchangeTimestampNs"} & set(event)
        assert _without_nulls(event)
        assert ({"traceId", "spanId", "eventFlowId"} <= set(event)) == (event["type"] in TRACED)
    assert len({event["traceId"] for event in events if "traceId" in event}) == 1
    assert {event["eventFlowId"] for event in events if "eventFlowId" in event} == {events[5]["messageTurnId"]}


async def test_what_accepts_an_input_is_one_commit_and_its_position_is_the_head_before(
    client: Client, server: ServerProcess
) -> None:
    session = await client.session()
    await client.ended(session, (await client.accepted(session, "first"))["runtimeRunId"])
    head = await client.position(session)

    response = await client.send(session, "second")
    accepted = response.json()
    await client.ended(session, accepted["runtimeRunId"])

    assert accepted.keys() == {"runtimeRunId", "messageId", "status", "position"}
    assert (accepted["position"], accepted["status"]) == (head, "active")
    assert response.headers["location"] == f"{client.path(session)}/runs/{accepted['runtimeRunId']}"
    assert (await client.http.get(response.headers["location"])).json()["runtimeRunId"] == accepted["runtimeRunId"]
    seq = int(head.split(".")[1])
    assert (seq + 1, seq + 4) in await RawStore(server.database_url).ranges(session)
    at_acceptance = (await client.log(session))[seq : seq + 4]
    assert [event["type"] for event in at_acceptance] == [
        "BRANCH_RUN_STARTED",
        "MESSAGE_STARTED",
        "CONTENT_ADDED",
        "MESSAGE_COMPLETED",
    ]
    assert {event["messageId"] for event in at_acceptance} == {accepted["messageId"]}
    assert at_acceptance[0]["runtimeRunId"] == accepted["runtimeRunId"]


async def test_a_failed_run_says_why_and_no_more(client: Client) -> None:
    session = await client.session()

    accepted = await client.accepted(session, "/fail")
    run = await client.ended(session, accepted["runtimeRunId"])
    again = await client.accepted(session, "still there?")

    why = "You asked the demo agent to fail, and it did."
    assert (run["status"], run["error"]) == ("failed", {"type": "DemoFailure", "message": why})
    assert again["status"] == "active"


def _epoch(accepted: dict[str, Any]) -> str:
    return str(accepted["position"]).split(".")[0]


def _without_nulls(value: object) -> bool:
    if isinstance(value, dict):
        return all(_without_nulls(member) for member in value.values())
    if isinstance(value, list):
        return all(_without_nulls(member) for member in value)
    return value is not None
