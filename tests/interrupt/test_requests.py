"""The requests that interrupt, each with its answer and what comes of it."""

import asyncio
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.interrupt.talk import Talk

DEFAULT = "Interrupted by client."
LONG = "/tokens 100000 5"


def _spoke(event: dict[str, Any]) -> bool:
    return bool(event["type"] == "TEXT_DELTA")


@pytest.mark.parametrize(
    ("route", "body", "reason"),
    [
        ("interrupt", None, DEFAULT),
        ("interrupt", {}, DEFAULT),
        ("interrupt", {"reason": None, "eventFlowId": None}, DEFAULT),
        ("interrupt", {"reason": ""}, DEFAULT),
        ("interrupt", {"reason": " \n\t "}, DEFAULT),
        ("interrupt", {"reason": "  Enough.  "}, "Enough."),
        ("interrupt", {"reason": "x" * 5000}, "x" * 4000),
        ("interrupt", {"type": "INTERRUPTION_REQUEST", "reason": "Enough.", "source": "User"}, "Enough."),
        ("interrupt", {"version": "1.0", "type": "interruption_request", "unheardOf": [1]}, DEFAULT),
        ("interrupt", {"agentId": "other", "sessionId": "other", "branchId": "o", "clientInputId": "1"}, DEFAULT),
        ("inputs", {"type": "INTERRUPTION_REQUEST", "reason": "Enough."}, "Enough."),
        ("inputs", {"type": "Interruption_Request", "unheardOf": 1, "runningRunBehavior": "queue"}, DEFAULT),
    ],
)
async def test_every_form_of_an_interrupt_ends_the_run(
    client: Client, route: str, body: dict[str, Any] | None, reason: str
) -> None:
    talk = await Talk.begin(client)
    accepted = await talk.say(LONG)
    await talk.logged(_spoke)

    response = await talk.post(route, body)
    async with client.feed(talk.session, after=response.json()["position"]) as feed:
        frames = [frame.json for frame in await feed.until(completed)]
    log = await talk.idle()

    run_id = accepted["runtimeRunId"]
    assert response.status_code == 202
    assert response.json() == {
        "runtimeRunId": run_id,
        "status": "active",
        "position": response.json()["position"],
    }
    assert response.headers.get("location") == (f"{talk.path}/runs/{run_id}" if route == "inputs" else None)
    handled = next(event for event in frames if event["type"] == "INTERRUPTION_HANDLED")
    turn = next(event for event in log if event["type"] == "MESSAGE_TURN_STARTED")["messageTurnId"]
    assert (handled["reason"], handled["source"], handled["eventFlowId"]) == (reason, "user", turn)
    assert (handled["channel"], handled["kind"], handled["canInterrupt"]) == ("control", "control", False)
    assert log[-len(frames) :] == frames
    end = frames[-1]
    assert (end["status"], end["cancelled"], end["reason"]) == ("cancelled", True, reason)
    shown = await client.run(talk.session, run_id)
    assert (shown["status"], "error" in shown) == ("cancelled", False)


@pytest.mark.parametrize("behind", [None, "Hi"])
@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("interrupt", None),
        ("interrupt", {}),
        ("interrupt", {"reason": "Enough."}),
        ("interrupt", {"eventFlowId": "trn_none"}),
        ("interrupt", {"type": "INTERRUPTION_REQUEST"}),
        ("inputs", {"type": "INTERRUPTION_REQUEST"}),
    ],
)
async def test_where_nothing_runs_an_interrupt_is_a_conflict(
    client: Client, route: str, body: dict[str, Any] | None, behind: str | None
) -> None:
    talk = await Talk.begin(client)
    if behind is not None:
        await talk.say(behind)
    before = await talk.idle()

    response = await talk.post(route, body)

    problem = response.json()
    assert (response.status_code, response.headers["content-type"]) == (409, "application/problem+json")
    assert problem == {
        "type": "urn:branchline:problem:branch-run-not-active",
        "title": "Branch run not active",
        "status": 409,
        "detail": problem["detail"],
        "instance": f"{talk.path}/{route}",
        "code": "branch-run-not-active",
        "errors": {"BranchRunNotActive": [problem["detail"]]},
    }
    assert await talk.log() == before


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("interrupt", b"{", "invalid-request"),
        ("interrupt", b"[]", "invalid-request"),
        ("interrupt", b"null", "invalid-request"),
        ("interrupt", b'"stop"', "invalid-request"),
        ("interrupt", b"stop", "invalid-request"),
        ("interrupt", b'{"reason": 1}', "invalid-request"),
        ("interrupt", b'{"reason": "\\u0000"}', "invalid-request"),
        ("interrupt", b'{"reason": "\\ud800"}', "invalid-request"),
        ("interrupt", b'{"eventFlowId": []}', "invalid-request"),
        ("interrupt", b'{"type": 1}', "invalid-request"),
        ("interrupt", b'{"type": "USER_TEXT_INPUT", "text": "Hi"}', "invalid-request"),
        ("interrupt", b'{"type": "TEXT_DELTA"}', "invalid-request"),
        ("interrupt", b'{"text": "Hi"}', "unknown-member"),
        ("interrupt", b'{"Reason": "Enough."}', "unknown-member"),
        ("interrupt", b'{"reason": "Enough.", "force": true}', "unknown-member"),
        ("inputs", b'{"type": "INTERRUPTION_REQUEST", "reason": 1}', "invalid-input"),
        ("inputs", b'{"type": "INTERRUPTION_REQUEST", "eventFlowId": {}}', "invalid-input"),
    ],
)
async def test_what_is_no_interrupt_is_refused_whether_anything_runs_or_not(
    client: Client, route: str, body: bytes, code: str
) -> None:
    talk = await Talk.begin(client)
    headers = {"content-type": "application/json"}

    idle = await client.http.post(f"{talk.path}/{route}", content=body, headers=headers)
    accepted = await talk.say("/tokens 40 10")
    running = await client.http.post(f"{talk.path}/{route}", content=body, headers=headers)
    log = await talk.idle()

    assert [(answer.status_code, answer.json()["code"]) for answer in (idle, running)] == [(400, code)] * 2
    assert (await client.run(talk.session, accepted["runtimeRunId"]))["status"] == "completed"
    assert [event for event in log if event["type"] == "INTERRUPTION_HANDLED"] == []


async def test_the_turn_of_a_run_that_has_ended_names_nothing(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say("Hi")
    stale = _turns(await talk.idle())[0]
    accepted = await talk.say("/tokens 60 10")
    await talk.logged(lambda event: event.get("text") == "tok1 ")

    refused = await talk.interrupt(eventFlowId=stale)
    log = await talk.idle()
    turns = _turns(log)

    assert (refused.status_code, refused.json()["code"]) == (409, "branch-run-not-active")
    assert (await client.run(talk.session, accepted["runtimeRunId"]))["status"] == "completed"
    assert (turns[0], len(turns)) == (stale, 2)


async def test_the_turn_of_the_active_run_names_the_run(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say(LONG)
    turn = _turns(await talk.logged(_spoke))[0]

    response = await talk.interrupt(eventFlowId=turn)
    log = await talk.idle()

    assert response.status_code == 202
    assert log[-1]["status"] == "cancelled"


async def test_of_many_interrupts_at_once_one_is_told_and_the_first_reason_counts(client: Client) -> None:
    talk = await Talk.begin(client)
    await talk.say("/permission")
    await talk.asked()

    responses = await asyncio.gather(*(talk.interrupt(reason=f"reason {index}") for index in range(40)))
    log = await talk.idle()

    assert {response.status_code for response in responses} <= {202, 409}
    accepted = [index for index, response in enumerate(responses) if response.status_code == 202]
    handled = [event for event in log if event["type"] == "INTERRUPTION_HANDLED"]
    assert len(handled) == 1
    assert handled[0]["reason"] in {f"reason {index}" for index in accepted}


def _turns(log: list[dict[str, Any]]) -> list[str]:
    return [event["messageTurnId"] for event in log if event["type"] == "MESSAGE_TURN_STARTED"]
