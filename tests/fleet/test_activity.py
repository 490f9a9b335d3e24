"""What a worker does, thinks and answers, as the readers of its branch are told of it."""

import json
from typing import Any

import httpx
import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.relaying import Work, done
from tests.fleet.reporting import act, assigned, calls, said, state, told_of
from tests.harness.order import check_log, types

Json = dict[str, Any]

MALFORMED = [
    "",
    "{",
    "[]",
    "{}",
    '{"activity": {}}',
    '{"activity": "thought"}',
    '{"activity": {"type": "thought"}}',
    '{"activity": {"content": "Hm."}}',
    '{"activity": {"type": "thought", "content": ""}}',
    '{"activity": {"type": "thought", "content": 1}}',
    '{"activity": {"type": "dream", "content": "Hm."}}',
    '{"activity": {"type": "action", "content": "Go", "toolName": 5}}',
    '{"activity": {"type": "action", "content": "Go", "toolUseId": ["a"]}}',
    '{"activity": {"type": "action", "content": "Go", "isError": "yes"}}',
    '{"type": "thought"}',
    '{"workerId": 1, "activity": {"type": "thought", "content": "Hm."}}',
]


async def ended(work: Work, status: str = "completed") -> list[Json]:
    """End the session, and return the whole log, which is in order."""
    await work.worker.told(work.id, "status", status=status)
    log = await work.client.log(work.session)
    check_log(log)
    return log


async def test_a_tool_use_and_its_result_are_a_tool_call_of_the_branch(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.published("turn-0", (0, "Let me look."))

    answers = [
        await act(work, "Read: a.py", toolName="Read", toolInput={"path": "a.py"}, toolUseId="tu_1"),
        await act(work, "Read result", toolName="Read", toolOutput="print()", toolUseId="tu_1"),
        await act(work, "Bash: ls", toolName="Bash", toolInput="ls", toolUseId="tu_2"),
        await act(work, "Bash result (error)", toolOutput="no ls", toolUseId="tu_2", isError=True),
    ]
    await work.published("turn-0", (1, "It is empty."), done(2))
    report = await state(work)
    log = await ended(work)

    assert answers == [{"forwarded": True, "linearSessionId": work.id}] * 4
    assert calls(log) == [(kind, f"tu_{each}") for each in (1, 2) for kind in ("START", "ARGS", "RESULT", "END")]
    assert [event["argsJson"] for event in told_of(log, "TOOL_CALL_ARGS")] == ['{"path":"a.py"}', '{"input":"ls"}']
    assert [event["result"] for event in told_of(log, "TOOL_CALL_RESULT")] == [
        {"text": "print()"},
        {"text": "no ls", "resultType": "error"},
    ]
    assert await said(work) == ["Let me look.", "It is empty."]
    assert (report["lastToolName"], report["toolCallCount"]) == ("Bash", 2)
    assert told_of(log, "WORK_ACTIVITY") == []
    assert types(log).count("AGENT_TURN_STARTED") == types(log).count("AGENT_TURN_FINISHED") == 3


async def test_results_without_an_id_are_of_the_oldest_open_call_of_their_tool(local: httpx.AsyncClient) -> None:
    work = await assigned(local, key=SHARED_KEY)

    await act(work, "Read a", toolName="Read", toolInput={"path": "a"})
    await act(work, "Read b", toolName="Read", toolInput={"path": "b"})
    await act(work, "Read result", toolName="Read", toolOutput={"lines": 1})
    await act(work, "Read result", toolOutput="two")
    log = await ended(work)

    paths = {event["callId"]: event["argsJson"] for event in told_of(log, "TOOL_CALL_ARGS")}
    results = {paths[event["callId"]]: event["result"] for event in told_of(log, "TOOL_CALL_RESULT")}
    assert results == {'{"path":"a"}': {"json": {"lines": 1}}, '{"path":"b"}': {"text": "two"}}


async def test_calls_inside_of_a_call_do_not_give_it_up(local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    await act(work, "Task", toolName="Task", toolUseId="outer")
    for inner in ("one", "two"):
        await act(work, "Read", toolName="Read", toolUseId=inner)
        await act(work, "Read result", toolUseId=inner, toolOutput=inner)
    await act(work, "Task result", toolUseId="outer", toolOutput="both")
    await work.published("turn-0", (0, "Done."), done(1))
    log = await ended(work)

    results = {event["callId"]: event["result"] for event in told_of(log, "TOOL_CALL_RESULT")}
    assert results == {"one": {"text": "one"}, "two": {"text": "two"}, "outer": {"text": "both"}}
    history = await _history(work)
    assert sorted(history) == sorted(["outer", "one", "two"])


async def test_what_is_told_once_more_is_told_once(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    call: Json = {"content": "Read", "toolName": "Read", "toolUseId": "tu_1"}
    result: Json = {"content": "Read result", "toolUseId": "tu_1", "toolOutput": "text"}

    for activity in (call, call, result, result, call):
        await act(work, **activity)
    log = await ended(work)

    assert calls(log) == [(kind, "tu_1") for kind in ("START", "ARGS", "RESULT", "END")]
    assert told_of(log, "WORK_ACTIVITY") == []


async def test_a_result_that_belongs_to_no_call_is_told_as_what_it_is(local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    await act(work, "Grep result", toolUseId="tu_9", toolOutput="nothing")
    log = await ended(work)

    (told,) = told_of(log, "WORK_ACTIVITY")
    assert (told["activityType"], told["content"]) == ("action", "Grep result")
    assert told["details"] == {"toolUseId": "tu_9", "toolOutput": "nothing"}
    assert calls(log) == []


async def test_a_call_whose_tool_has_no_name_that_can_be_sent_is_told_as_what_it_is(local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    await act(work, "Run it", toolName="run this", toolInput={"a": 1})
    log = await ended(work)

    assert calls(log) == []
    assert told_of(log, "WORK_ACTIVITY")[0]["details"] == {"toolName": "run this", "toolInput": {"a": 1}}


async def test_thoughts_and_all_the_rest_are_told_in_their_order(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    kinds = ["thought", "context", "progress", "error", "thought", "response", "action"]

    for index, kind in enumerate(kinds):
        await act(work, f"{index}", kind, timestamp="2026-01-01T00:00:00Z", durationMs=3)
    log = await ended(work)

    told = [(event["activityType"], event["content"]) for event in told_of(log, "WORK_ACTIVITY")]
    assert told == [(kind, f"{index}") for index, kind in enumerate(kinds)]
    assert told_of(log, "WORK_ACTIVITY")[0]["details"] == {"timestamp": "2026-01-01T00:00:00Z", "durationMs": 3.0}


async def test_an_activity_may_be_the_body_itself(local: httpx.AsyncClient) -> None:
    work = await assigned(local)

    answer = await work.worker.told(work.id, "activity", type="thought", content="Hm.", metadata={"a": [1]})
    log = await ended(work)

    assert answer["forwarded"] is True
    (told,) = told_of(log, "WORK_ACTIVITY")
    assert (told["content"], told["details"]) == ("Hm.", {"metadata": {"a": [1]}})


async def test_the_last_response_is_the_answer_where_nothing_else_was_said(local: httpx.AsyncClient) -> None:
    silent, spoken, failed = [await assigned(local) for _ in range(3)]
    await spoken.published("turn-0", (0, "Said."), done(1))
    for work in (silent, spoken, failed):
        await act(work, "First.", "response")
        await act(work, "Last.", "response")

    for work, status in ((silent, "completed"), (spoken, "completed"), (failed, "failed")):
        await ended(work, status)

    assert [await said(work) for work in (silent, spoken, failed)] == [["Last."], ["Said."], []]


async def test_a_tool_that_was_never_answered_is_closed_with_the_run(local: httpx.AsyncClient) -> None:
    for status in ("completed", "failed", "stopped"):
        work = await assigned(local)
        await act(work, "Read", toolName="Read", toolUseId="tu_1")

        log = await ended(work, status)

        assert [event["result"]["resultType"] for event in told_of(log, "TOOL_CALL_RESULT")] == ["interrupted"]


async def test_a_late_activity_is_refused(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    log = await ended(work)

    answer = await work.worker.report(work.id, "activity", activity={"type": "thought", "content": "Late."})

    assert (answer.status_code, answer.json()["code"]) == (409, "work-session-ended")
    assert log == await work.client.log(work.session)


@pytest.mark.parametrize("key", [None, SHARED_KEY], ids=["token", "shared-key"])
async def test_a_malformed_activity_is_refused_and_changes_nothing(local: httpx.AsyncClient, key: str | None) -> None:
    work = await assigned(local, key=key)
    log = await work.client.log_text(work.session)

    for body in MALFORMED:
        headers = work.worker.headers | {"Content-Type": "application/json"}
        answer = await local.post(f"/api/sessions/{work.id}/activity", content=body, headers=headers)
        assert answer.status_code == 400, body
        assert answer.json()["error"] == "Bad Request"
        assert answer.json()["message"]

    assert log == await work.client.log_text(work.session)
    assert (await state(work))["status"] == "claimed"


async def _history(work: Work) -> list[str]:
    """Return the calls whose results are in the conversation, as a fork of it has them."""
    log = await work.client.log(work.session)
    last = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_END"][-1]
    response = await work.client.http.post(f"{work.client.path(work.session)}/fork", json={"fromMessageId": last})
    assert response.status_code == 201, response.text
    copied = await work.client.log(work.session, response.json()["id"])
    contents = [event["content"] for event in copied if event["type"] == "CONTENT_ADDED"]
    return [each["callId"] for each in contents if each.get("$type") == "functionResult"]


async def test_what_a_tool_is_called_with_as_text_is_read_no_deeper_than_a_body(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    deep = "[" * 5000 + "]" * 5000
    given = ['{"path": "a.py"}', deep, '{"a":' * 100 + "1" + "}" * 100, '{"half": "\\ud800"}', "[1]"]

    for index, text in enumerate(given):
        await act(work, "Read", toolName="Read", toolInput=text, toolUseId=f"tu_{index}")
        await act(work, "Read result", toolName="Read", toolOutput="", toolUseId=f"tu_{index}")
    log = await ended(work)

    told = [json.loads(event["argsJson"]) for event in told_of(log, "TOOL_CALL_ARGS")]
    assert told == [{"path": "a.py"}, *({"input": text} for text in given[1:4]), {"input": [1]}]
