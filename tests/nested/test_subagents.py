"""A subagent inside a subagent: steps of one run, told on its branch, each in its place."""

import re
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import types
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Log, Talk

TASK = "/subagent 2"


def _depth(event: dict[str, Any]) -> int:
    return int(event.get("metadata", {}).get("depth", 0))


def _turns(log: Log) -> Log:
    return [event for event in log if event["type"] == "MESSAGE_TURN_STARTED"]


async def _whole(client: Client) -> tuple[Talk, Log]:
    talk = await Talk.begin(client)
    await talk.say(TASK)
    await talk.answer((await talk.asked())[0], approved=True)
    return talk, await talk.idle()


async def test_each_turn_says_how_deep_it_is_and_of_whom(client: Client) -> None:
    _, log = await _whole(client)

    outer, middle, inner = _turns(log)
    assert "metadata" not in outer
    assert [turn["metadata"] for turn in (middle, inner)] == [
        {
            "agentName": "Demo",
            "agentId": "demo",
            "parentAgentId": "demo",
            "agentChain": ["Demo"] * (depth + 1),
            "depth": depth,
            "isSubAgent": True,
        }
        for depth in (1, 2)
    ]
    for event in log:
        if event["type"] != "PERMISSION_RESPONSE":
            flow = {0: None, 1: middle, 2: inner}[_depth(event)]
            assert event.get("metadata") == (flow["metadata"] if flow else None)
            assert not flow or event["eventFlowId"] == flow["messageTurnId"]


async def test_the_spans_are_a_chain_in_one_trace(client: Client) -> None:
    _, log = await _whole(client)

    outer, middle, inner = _turns(log)
    assert "parentSpanId" not in outer
    assert [middle["parentSpanId"], inner["parentSpanId"]] == [outer["spanId"], middle["spanId"]]
    assert len({turn["spanId"] for turn in (outer, middle, inner)}) == 3
    assert len({event["traceId"] for event in log if "traceId" in event}) == 1
    nested = [event for event in log if _depth(event)]
    assert all({"traceId", "spanId", "parentSpanId", "eventFlowId"} <= event.keys() for event in nested)
    turn_of = {turn["messageTurnId"]: turn for turn in (outer, middle, inner)}
    begun = [event for event in log if event["type"] in {"TEXT_MESSAGE_START", "TOOL_CALL_START"}]
    assert all(event["parentSpanId"] == turn_of[event["eventFlowId"]]["spanId"] for event in begun)
    assert len({event["spanId"] for event in begun}) == len(begun) == 9


async def test_what_is_inside_is_told_between_the_call_and_its_result(client: Client) -> None:
    _, log = await _whole(client)

    said = ["AGENT_TURN_STARTED", "TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END"]
    call = ["TOOL_CALL_START", "TOOL_CALL_ARGS"]
    result = ["TOOL_CALL_RESULT", "TOOL_CALL_END", "AGENT_TURN_FINISHED"]
    asked = ["PERMISSION_REQUEST", "PERMISSION_RESPONSE", "PERMISSION_APPROVED"]
    inside = asked
    for _ in range(3):
        whole = [*said, *call, *inside, *result, *said, "AGENT_TURN_FINISHED"]
        inside = ["MESSAGE_TURN_STARTED", *whole, "MESSAGE_TURN_FINISHED"]
    accepted = ["BRANCH_RUN_STARTED", "MESSAGE_STARTED", "CONTENT_ADDED", "MESSAGE_COMPLETED"]
    assert types(log) == ["BRANCH_CREATED", *accepted, *inside, "BRANCH_RUN_COMPLETED"]
    results = [event["result"]["text"] for event in log if event["type"] == "TOOL_CALL_RESULT"]
    deleted = "notes.txt was deleted."
    assert results == [deleted, f"delete_file: {deleted}", f"ask_subagent: delete_file: {deleted}"]


async def test_there_is_one_run_and_its_questions_are_the_branchs(client: Client) -> None:
    talk = await Talk.begin(client)
    accepted = await talk.say(TASK)

    [asked] = await talk.asked()
    runs = [run["runtimeRunId"] for run in await talk.get("runs")]
    await talk.answer(asked, approved=False, reason="Not that one.")
    log = await talk.idle()

    assert runs == [accepted["runtimeRunId"]]
    assert (asked["runtimeRunId"], asked["agentId"], asked["type"]) == (runs[0], "demo", "PERMISSION_REQUEST")
    request = next(event for event in log if event["type"] == "PERMISSION_REQUEST")
    assert (asked["request"], asked["position"], _depth(request)) == (request, request["eventId"], 2)
    denied = next(event for event in log if event["type"] == "PERMISSION_DENIED")
    assert (denied["reason"], denied["metadata"]) == ("Not that one.", request["metadata"])
    assert len([event for event in log if event["type"].startswith("BRANCH_RUN_")]) == 2
    assert (await talk.get("runs"))[0]["status"] == "completed"


async def test_what_a_subagent_says_is_no_part_of_the_conversation(client: Client, server: ServerProcess) -> None:
    talk, log = await _whole(client)

    counted = (await talk.get(""))["messageCount"]
    await talk.say("/history")
    again = await talk.idle()

    own = {event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START" and not _depth(event)}
    nested = {event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START" and _depth(event)}
    users = {event["messageId"] for event in again if event["type"] == "MESSAGE_STARTED"}
    assert (len(own), len(nested), counted) == (2, 4, 3)
    last = [event for event in again if event["type"] == "TEXT_MESSAGE_END"][-1]["messageId"]
    told = "".join(event["text"] for event in again if event["type"] == "TEXT_DELTA" and event["messageId"] == last)
    assert set(re.findall(r"msg_[0-9a-f]{32}", told)) == own | users
    states = await RawStore(server.database_url).run(
        "SELECT messages.id, state FROM messages JOIN branches ON branches.key = branch_key WHERE session_id = ?",
        talk.session,
    )
    assert {name for name, state in states if state == "nested"} == nested


async def test_an_interrupt_reaches_the_innermost_within_two_seconds(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say(TASK)
    await talk.asked()

    async with client.feed(talk.session) as feed:
        assert (await talk.interrupt(reason="Enough.")).status_code == 202
        await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED", seconds=2)
    log = await talk.idle()

    handled = types(log).index("INTERRUPTION_HANDLED")
    tail = log[-len(types(log)[handled:]) :]
    assert [(event["type"], _depth(event)) for event in tail] == [
        ("INTERRUPTION_HANDLED", 0),
        ("AGENT_REQUEST_CANCELLED", 2),
        *[
            (name, depth)
            for depth in (2, 1, 0)
            for name in ("TOOL_CALL_RESULT", "TOOL_CALL_END", "AGENT_TURN_FINISHED", "MESSAGE_TURN_FINISHED")
        ],
        ("BRANCH_RUN_COMPLETED", 0),
    ]
    ends = [event for event in tail if event["type"] in {"AGENT_TURN_FINISHED", "MESSAGE_TURN_FINISHED"}]
    assert [event["terminationReason"] for event in ends] == ["interrupted"] * 6
    assert tail[-1]["cancelled"] is True


@pytest.mark.parametrize("depth", [1, 2])
async def test_the_flow_of_a_subagent_ends_alone_and_its_parent_goes_on(client: Client, depth: int) -> None:
    talk = await Talk.begin(client)
    await talk.say(TASK)
    await talk.asked()
    flow = _turns(await talk.log())[depth]["messageTurnId"]

    answer = await talk.interrupt(reason="Not that.", eventFlowId=flow)
    log = await talk.idle()

    assert (answer.status_code, answer.json()["status"]) == (202, "active")
    [handled] = [event for event in log if event["type"] == "INTERRUPTION_HANDLED"]
    assert (handled["eventFlowId"], handled["reason"], _depth(handled)) == (flow, "Not that.", depth)
    ends = [
        (_depth(event), event.get("terminationReason")) for event in log if event["type"] == "MESSAGE_TURN_FINISHED"
    ]
    assert ends == [(each, "interrupted" if each >= depth else None) for each in (2, 1, 0)]
    result = next(event for event in log if event["type"] == "TOOL_CALL_RESULT" and _depth(event) == depth - 1)[
        "result"
    ]
    assert result == {"text": "Error: Interrupted: Not that.", "resultType": "error"}
    assert log[-1]["status"] == "completed"
    assert await talk.get("interactions") == []


async def test_the_flow_of_a_subagent_that_has_ended_names_nothing(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say("/subagent 1")
    await talk.answer((await talk.asked())[0], approved=True)
    stale = _turns(await talk.idle())[1]["messageTurnId"]
    await talk.say("/subagent 1")
    await talk.asked()

    answer = await talk.interrupt(eventFlowId=stale)
    await talk.answer((await talk.asked())[0], approved=True)
    log = await talk.idle()

    assert (answer.status_code, answer.json()["code"]) == (409, "branch-run-not-active")
    assert log[-1]["status"] == "completed"
