"""Questions that workers ask: interactions like any others, whose answers go back to whoever is at work."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, bearer
from tests.fleet.hearing import ask, inbox, inbox_within, interrupt, look, open_questions, refresh, respond, submit
from tests.fleet.offers import item_within, told_within
from tests.fleet.relaying import Work, done
from tests.fleet.reporting import act, assigned, told_of
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker

Json = dict[str, Any]

QUESTION = {"type": "PERMISSION_REQUEST", "permissionId": "ask-1", "functionName": "deploy", "callId": "call-1"}
MALFORMED: list[Any] = [
    "",
    "{",
    "[]",
    {},
    {"type": "PERMISSION_REQUEST"},
    {"type": "TEXT_DELTA", "text": "x", "messageId": "m"},
    {"type": "UNKNOWN"},
    {"type": 1},
    {"type": "CLIENT_TOOL_INVOKE_REQUEST", "requestId": "r", "toolName": "t", "callId": "c"},
    {**QUESTION, "functionName": 1},
    {**QUESTION, "functionName": ""},
    {**QUESTION, "permissionId": "a/b"},
    {**QUESTION, "callId": "a b"},
    {**QUESTION, "sourceName": ""},
    {**QUESTION, "arguments": "none"},
    {**QUESTION, "expiresAt": "tomorrow"},
    {**QUESTION, "expiresAt": "2020-01-01T00:00:00Z"},
    {"type": "CLARIFICATION_REQUEST", "requestId": "r"},
    {"type": "CONTINUATION_REQUEST", "currentIteration": "many", "maxIterations": 1},
]


def decisions(log: list[Json]) -> list[tuple[str, str | None]]:
    """Return what the log tells of a permission, in order."""
    about = ("PERMISSION_REQUEST", "PERMISSION_RESPONSE", "PERMISSION_APPROVED", "PERMISSION_DENIED")
    told = told_of(
        log, *about, "TOOL_CALL_START", "TOOL_CALL_RESULT", "AGENT_REQUEST_EXPIRED", "AGENT_REQUEST_CANCELLED"
    )
    return [(event["type"], event.get("result", {}).get("resultType")) for event in told]


@pytest.mark.parametrize("key", [None, SHARED_KEY], ids=["token", "shared-key"])
async def test_a_permission_is_asked_answered_and_told_in_all_three_ways(
    local: httpx.AsyncClient, key: str | None
) -> None:
    work = await assigned(local, key=key)
    await work.published("turn-0", (0, "I deploy."), done(1))

    asked = await ask(work)
    again = await ask(work)
    (question,) = await open_questions(work)
    waiting = [await look(work), await refresh(work), await inbox(work)]
    await respond(work, approved=True, reason="Go.")
    looked, refreshed, heard = await look(work), await refresh(work), await inbox(work)
    await act(work, "deploy result", toolName="deploy", toolUseId="call-1", toolOutput="Done.")
    acked = await refresh(work, ackedInject=refreshed["interactions"][0]["deliveryId"])
    await work.published("turn-1", (0, "Deployed."), done(1))
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    assert asked == again == waiting[0]
    assert (asked["requestId"], asked["type"], asked["state"]) == ("ask-1", "PERMISSION_REQUEST", "open")
    assert waiting[1:] == [{"refreshed": True}, []]
    assert (question["requestId"], question["expectedResponseType"]) == ("ask-1", "PERMISSION_RESPONSE")
    assert (question["request"]["arguments"], question["request"]["sourceName"]) == ({"to": "live"}, "Worker")
    assert (looked["state"], looked["response"]["approved"], looked["response"]["reason"]) == ("answered", True, "Go.")
    (result,) = refreshed["interactions"]
    (message,) = heard
    assert (result["requestId"], result["state"], result["response"]) == ("ask-1", "answered", looked["response"])
    assert (message["type"], message["lane"], message["id"]) == ("hook-result", "normal", result["deliveryId"])
    assert msgspec.json.decode(message["payload"]) == {key: result[key] for key in ("requestId", "state", "response")}
    assert message["text"] == message["payload"]
    assert acked == {"refreshed": True}
    assert decisions(log) == [
        ("TOOL_CALL_START", None),
        ("PERMISSION_REQUEST", None),
        ("PERMISSION_RESPONSE", None),
        ("PERMISSION_APPROVED", None),
        ("TOOL_CALL_RESULT", None),
    ]


async def test_a_call_that_is_denied_ends_so_and_what_is_remembered_is_not_asked_again(
    local: httpx.AsyncClient,
) -> None:
    work = await assigned(local)
    await act(work, "deploy", toolName="deploy", toolInput={"to": "live"}, toolUseId="call-1")

    await ask(work)
    await respond(work, approved=False, choice="deny_always")
    denied = await look(work)
    remembered = await ask(work, permissionId="ask-2", callId="call-2")
    twice = await ask(work, permissionId="ask-2", callId="call-2")
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    assert (denied["state"], denied["response"]["approved"]) == ("answered", False)
    assert remembered == twice
    assert (remembered["state"], remembered["response"]["approved"]) == ("answered", False)
    assert decisions(log) == [
        ("TOOL_CALL_START", None),
        ("PERMISSION_REQUEST", None),
        ("PERMISSION_RESPONSE", None),
        ("PERMISSION_DENIED", None),
        ("TOOL_CALL_RESULT", "denied"),
        ("TOOL_CALL_START", None),
        ("PERMISSION_DENIED", None),
        ("TOOL_CALL_RESULT", "denied"),
    ]
    assert [event.get("reason") for event in told_of(log, "PERMISSION_DENIED")] == [None, "remembered"]


async def test_the_run_itself_may_say_what_is_allowed(local: httpx.AsyncClient) -> None:
    first = await assigned(local)
    await first.worker.told(first.id, "status", status="completed")
    await submit(first, {"text": "Deploy.", "runConfig": {"permissionOverrides": {"deploy": True}}})
    item = await first.worker.claimed()
    work = Work(first.client, first.worker, first.session, first.run, item["sessionId"])

    allowed = await ask(work)
    await act(work, "deploy result", toolUseId="call-1", toolOutput="Done.")
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    assert (allowed["state"], allowed["response"]["approved"]) == ("answered", True)
    assert [event["reason"] for event in told_of(log, "PERMISSION_APPROVED")] == ["override"]


async def test_other_questions_are_asked_beside_what_is_said(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await work.published("turn-0", (0, "Let me"))

    which = await ask(work, "CLARIFICATION_REQUEST", question="Which one?", options=["a", "b"])
    more = await ask(work, "continuation_request", continuationId="more", currentIteration=5, maxIterations=4)
    await work.published("turn-0", (1, " ask."), done(2))
    await act(work, "look", toolName="look", toolUseId="call-1")
    await ask(work, callId="call-1", functionName="look")
    await work.published("turn-1", (0, "Meanwhile."), done(1))
    await respond(work, type="CLARIFICATION_RESPONSE", requestId=which["requestId"], answer="b")
    await respond(work, type="CONTINUATION_RESPONSE", continuationId="more", approved=True)
    await respond(work, approved=True)
    results = (await refresh(work))["interactions"]
    await act(work, "look result", toolUseId="call-1", toolOutput="Seen.")
    await work.published("turn-2", (0, "b it is."), done(1))
    await work.worker.told(work.id, "status", status="completed")

    check_log(await work.client.log(work.session))
    assert which["requestId"].startswith("req_")
    assert (more["requestId"], more["type"]) == ("more", "CONTINUATION_REQUEST")
    answers = {each["requestId"]: each["response"] for each in results}
    assert answers[which["requestId"]]["answer"] == "b"
    assert answers["more"]["approved"] is True
    assert answers["ask-1"]["approved"] is True


async def test_what_nobody_answers_expires_and_what_the_end_comes_before_is_cancelled(
    local: httpx.AsyncClient,
) -> None:
    work, cut = await assigned(local), await assigned(local)
    soon = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()

    await ask(work, expiresAt=soon)
    await ask(cut)
    (expired,) = await inbox_within(work)
    looked = await look(work)
    await work.worker.told(work.id, "status", status="completed")
    await interrupt(cut)
    cancelled = await look(cut)

    log = await work.client.log(work.session)
    check_log(log)
    check_log(await cut.client.log(cut.session))
    assert msgspec.json.decode(expired["payload"]) == {"requestId": "ask-1", "state": "expired"}
    assert looked["state"] == "expired"
    assert decisions(log)[1:] == [
        ("PERMISSION_REQUEST", None),
        ("AGENT_REQUEST_EXPIRED", None),
        ("PERMISSION_DENIED", None),
        ("TOOL_CALL_RESULT", "denied"),
    ]
    assert cancelled["state"] == "cancelled"
    assert await open_questions(cut) == []


async def test_a_result_that_comes_while_somebody_is_asked_is_no_answer(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await ask(work)

    await act(work, "deploy result", toolUseId="call-1", toolOutput="Done anyway.")
    (question,) = await open_questions(work)
    await respond(work, approved=True)
    await act(work, "deploy result", toolUseId="call-1", toolOutput="Done.")
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    assert question["requestId"] == "ask-1"
    assert [event["result"]["text"] for event in told_of(log, "TOOL_CALL_RESULT")] == ["Done."]


async def test_a_question_outlives_the_server_and_the_worker_that_asked_it(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    settings = {"key_file": key_file, "worker_api_key": SHARED_KEY, "sweep_seconds": 0.1}
    server = make_server(database_url, **settings).start()
    async with Client(server.url) as client:
        work = await assigned(client.http)
        await work.published("turn-0", (0, "I deploy."), done(1))
        await ask(work)
        await ask(work, "CLARIFICATION_REQUEST", requestId="which", question="Which?")
        server.kill()
    with make_server(database_url, worker_lease_seconds=1, **settings) as after:
        async with Client(after.url, work.client.agent) as client:
            gone = Work(client, FleetWorker(client.http, work.worker.registered), work.session, work.run, work.id)
            await respond(gone, type="CLARIFICATION_RESPONSE", requestId="which", answer="This.")
            await gone.worker.told(gone.id, "lock-refresh", issueId="")
            await told_within(client, gone.session, "WORK_RETURNED")
            second = await FleetWorker.register(client.http, key=SHARED_KEY, agentIds=[client.agent])
            await item_within(second)
            taken = Work(client, second, gone.session, gone.run, gone.id)

            await taken.published("turn-1", (0, "I deploy"))
            answered = await ask(taken, "CLARIFICATION_REQUEST", requestId="which", question="Which?")
            waits = await ask(taken)
            await respond(taken, approved=True)
            heard = {msgspec.json.decode(each["payload"])["requestId"] for each in await inbox(taken)}
            allowed = await ask(taken)
            await second.told(taken.id, "status", status="completed")
            log = await client.log(gone.session)

    check_log(log)
    assert (answered["state"], answered["response"]["answer"]) == ("answered", "This.")
    assert (waits["state"], allowed["state"]) == ("open", "answered")
    assert heard == {"which", "ask-1"}
    assert len(told_of(log, "PERMISSION_REQUEST")) == len(told_of(log, "CLARIFICATION_REQUEST")) == 1


async def test_a_question_that_cannot_be_asked_so_is_refused(local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    await ask(work)
    await respond(work, approved=False)
    await look(work)
    log = await work.client.log_text(work.session)

    other_kind = await work.worker.report(
        work.id, "interactions", type="CLARIFICATION_REQUEST", requestId="ask-1", question="?"
    )
    ended_call = await work.worker.report(work.id, "interactions", **{**QUESTION, "permissionId": "ask-2"})
    await ask(work, permissionId="ask-3", callId="call-3")
    asked_twice = await work.worker.report(
        work.id, "interactions", **{**QUESTION, "permissionId": "ask-4", "callId": "call-3"}
    )
    unknown = await local.get(f"/api/sessions/{work.id}/interactions/nobody", headers=work.worker.headers)
    await work.worker.told(work.id, "status", status="completed")
    too_late = await work.worker.report(work.id, "interactions", **{**QUESTION, "permissionId": "ask-5"})

    refused = [other_kind, ended_call, asked_twice]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(409, "question-refused")] * 3
    assert (unknown.status_code, unknown.json()["code"]) == (404, "question-not-found")
    assert (too_late.status_code, too_late.json()["code"]) == (409, "work-session-ended")
    assert log[:-1] in await work.client.log_text(work.session)


async def test_what_is_malformed_or_another_workers_changes_nothing(gate: Gate, local: httpx.AsyncClient) -> None:
    work = await assigned(local)
    other = await FleetWorker.register(local, agentIds=["none"])
    await work.worker.told(work.id, "status", status="running")
    path, headers = f"/api/sessions/{work.id}/interactions", work.worker.headers
    stranger = await gate.token("elsewhere")
    before = await gate.everything()

    bodies = [each if isinstance(each, str) else msgspec.json.encode(each) for each in MALFORMED]
    refused = [await local.post(path, content=body, headers=headers) for body in bodies]
    foreign = await local.post(path, json=QUESTION, headers=other.headers)
    abroad = await local.post(path, json=QUESTION, headers=bearer(stranger))
    looked = await local.get(f"{path}/ask-1", headers=other.headers)
    unknown = await local.post("/api/sessions/wse_unknown/interactions", json=QUESTION, headers=headers)

    assert [answer.status_code for answer in refused] == [400] * len(MALFORMED)
    assert all(answer.json()["error"] == "Bad Request" and answer.json()["message"] for answer in refused)
    stolen = [(each.status_code, each.json()["message"]) for each in (foreign, looked)]
    assert stolen == [(403, "Session is owned by another worker")] * 2
    assert (abroad.status_code, unknown.status_code) == (404, 404)
    assert before == await gate.everything()
