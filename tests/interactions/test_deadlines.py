"""A question that nobody answers in time is given up, told, and the run goes on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.conversation import conversation, id_of, of_type, only
from tests.harness.process import ServerProcess
from tests.interactions.kinds import (
    CLARIFICATION,
    CLIENT,
    CLIENT_TOOLS,
    CONTINUATION,
    CUSTOM,
    PERMISSION,
    STANDARD,
    Kind,
    each_standard_kind,
)
from tests.interactions.orders import CALL, CLOSING, DONE, EXPIRED, OPENING, SAID, SPEAKING
from tests.interactions.refused import refusal

SOON = "PT0.3S"
DAY = timedelta(hours=24)
PARALLEL = [*OPENING, *SPEAKING, *CALL, *CALL, *CALL]
_SLACK = timedelta(milliseconds=1)


@each_standard_kind
async def test_an_unanswered_question_is_given_up_and_the_run_goes_on(client: Client, kind: Kind) -> None:
    async with conversation(client, kind.text, **kind.config, **{kind.timeout: SOON}) as talk:
        request = await talk.asked()
        seen = await talk.end()
        afterwards = await talk.open()

    expired = only(talk.events, "AGENT_REQUEST_EXPIRED")
    assert [*kind.before, kind.request, *kind.lost] == seen
    assert expired["requestId"] == id_of(request)
    assert expired["sourceName"] == request["sourceName"]
    assert expired["requestEventType"] == kind.request
    assert _time(expired["expiredAt"]) >= _time(request["expiresAt"]) - _SLACK
    assert (talk.events[-1]["status"], "errorType" in talk.events[-1]) == ("completed", False)
    assert afterwards == []


async def test_a_custom_question_that_nobody_answers_is_given_up_too(server: ServerProcess) -> None:
    async with Client(server.url, CUSTOM.agent) as client, conversation(client, "12 0.3") as talk:
        request = await talk.asked()
        seen = await talk.end()

    assert [*CUSTOM.before, CUSTOM.request, *CUSTOM.lost] == seen
    assert only(talk.events, "AGENT_REQUEST_EXPIRED")["requestId"] == id_of(request)
    assert talk.last_text == "I was not paid in time."


async def test_what_nobody_allowed_in_time_is_denied(client: Client) -> None:
    async with conversation(client, "/permission", permissionTimeout=SOON) as talk:
        request = await talk.asked()
        await talk.end()

    denied, result = only(talk.events, "PERMISSION_DENIED"), only(talk.events, "TOOL_CALL_RESULT")
    assert (denied["permissionId"], denied["callId"]) == (id_of(request), request["callId"])
    assert (denied["functionName"], denied["reason"]) == ("delete_file", "expired")
    assert result["result"]["resultType"] == "denied"
    assert result["result"]["text"].startswith("Nobody answered in time")


async def test_an_expired_permission_is_not_remembered(client: Client) -> None:
    async with conversation(client, "/permission", permissionTimeout=SOON) as talk:
        await talk.end()

    async with conversation(client, "/permission", talk.session) as again:
        await again.asked()


async def test_a_run_that_may_not_go_on_in_time_says_so_and_is_completed(client: Client) -> None:
    async with conversation(client, "/continue 5", continuationTimeout=SOON) as talk:
        await talk.end()

    assert only(talk.events, "MESSAGE_TURN_FINISHED")["terminationReason"] == "continuation_expired"
    assert "iterations" in talk.last_text


async def test_a_clients_tool_that_does_not_answer_in_time_has_a_result_that_says_so(client: Client) -> None:
    async with conversation(client, CLIENT.text, **CLIENT.config, clientToolTimeout=SOON) as talk:
        await talk.end()

    result = only(talk.events, "TOOL_CALL_RESULT")["result"]
    assert result["resultType"] == "timeout"
    assert "show" in result["text"]


async def test_in_a_batch_only_what_is_not_answered_in_time_is_denied(client: Client) -> None:
    async with conversation(client, "/parallel", permissionTimeout="PT2S") as talk:
        requests = [await talk.asked() for _ in range(3)]
        await talk.accepted(requests[1], approved=True)
        await talk.until("AGENT_REQUEST_EXPIRED")
        await talk.until("AGENT_REQUEST_EXPIRED")
        seen = await talk.end()

    results = {event["name"]: event["result"].get("resultType") for event in of_type(talk.events, "TOOL_CALL_RESULT")}
    expired = [event["requestId"] for event in of_type(talk.events, "AGENT_REQUEST_EXPIRED")]
    assert results == {"read_file": "denied", "write_file": None, "delete_file": "denied"}
    assert sorted(expired) == sorted([id_of(requests[0]), id_of(requests[2])])
    assert seen[: len(PARALLEL) + 3] == [*PARALLEL, *["PERMISSION_REQUEST"] * 3]


async def test_every_call_of_a_batch_that_nobody_answers_is_denied(client: Client) -> None:
    async with conversation(client, "/parallel", permissionTimeout=SOON) as talk:
        seen = await talk.end()

    for request in of_type(talk.events, "PERMISSION_REQUEST"):
        own = [event["type"] for event in talk.events if _belongs(event, request)]
        assert ["TOOL_CALL_START", "TOOL_CALL_ARGS", "PERMISSION_REQUEST", *EXPIRED] == own[:5]
        assert own[5:] == ["TOOL_CALL_RESULT", "TOOL_CALL_END"]
    assert seen[-len([*SAID, *CLOSING]) :] == [*SAID, *CLOSING]


@pytest.mark.parametrize(
    ("kind", "within"),
    [(PERMISSION, DAY), (CONTINUATION, DAY), (CLARIFICATION, DAY), (CLIENT, timedelta(seconds=30))],
    ids=lambda value: value.request if isinstance(value, Kind) else str(value),
)
async def test_a_question_waits_by_default_for_a_day_and_a_clients_tool_for_half_a_minute(
    client: Client, kind: Kind, within: timedelta
) -> None:
    async with conversation(client, kind.text, **kind.config) as talk:
        await talk.asked()
        (question,) = await talk.open()

    assert _time(question["expiresAt"]) - _time(question["requestedAt"]) == within


async def test_a_custom_question_waits_as_long_as_it_takes_unless_it_says_otherwise(server: ServerProcess) -> None:
    async with Client(server.url, CUSTOM.agent) as client:
        async with conversation(client, "12") as without:
            await without.asked()
            (endless,) = await without.open()
        async with conversation(client, "12 90") as within:
            await within.asked()
            (limited,) = await within.open()

    assert "expiresAt" not in endless
    assert "expiresAt" not in endless["request"]
    assert _time(limited["expiresAt"]) - _time(limited["requestedAt"]) == timedelta(seconds=90)


# These agents may make one call of the model, so whatever makes two asks for permission to go on.
BY_AGENT: dict[str, tuple[str, dict[str, Any]]] = {
    "PERMISSION_REQUEST": ("/permission", {}),
    "CONTINUATION_REQUEST": ("/continue 2", {}),
    "CLARIFICATION_REQUEST": ("/clarify", {}),
    "CLIENT_TOOL_INVOKE_REQUEST": ("/client-tool", {"clientToolInput": CLIENT_TOOLS}),
}


@each_standard_kind
async def test_an_agent_can_say_how_long_its_questions_wait(server: ServerProcess, kind: Kind) -> None:
    text, config = BY_AGENT[kind.request]
    async with Client(server.url, "hurried") as client, conversation(client, text, **config) as talk:
        request = await talk.asked()
        expired = await talk.until("AGENT_REQUEST_EXPIRED")

    assert request["type"] == kind.request
    assert expired["requestId"] == id_of(request)
    assert _waits(request) == pytest.approx(0.3, abs=0.05)


@each_standard_kind
async def test_an_agent_can_say_that_its_questions_wait_as_long_as_it_takes(server: ServerProcess, kind: Kind) -> None:
    text, config = BY_AGENT[kind.request]
    async with Client(server.url, "patient") as client, conversation(client, text, **config) as talk:
        request = await talk.asked()
        (question,) = await talk.open()
        await talk.accepted(request, **kind.answer)
        await talk.until(kind.response)

    assert "expiresAt" not in request
    assert "expiresAt" not in question


@each_standard_kind
@pytest.mark.parametrize("agent", ["hurried", "patient"])
async def test_what_a_run_says_of_deadlines_wins_over_what_its_agent_says(
    server: ServerProcess, kind: Kind, agent: str
) -> None:
    text, config = BY_AGENT[kind.request]
    async with Client(server.url, agent) as client:
        async with conversation(client, text, **config, **{kind.timeout: "00:10:00"}) as talk:
            request = await talk.asked()

    assert _waits(request) == pytest.approx(600, abs=0.5)


@pytest.mark.parametrize(
    ("given", "seconds"), [("PT5M", 300), ("00:05:00", 300), ("01:00:00.5", 3600.5), ("P1D", 86400)]
)
async def test_a_deadline_can_be_written_in_two_ways(client: Client, given: str, seconds: float) -> None:
    async with conversation(client, "/permission", permissionTimeout=given) as talk:
        request = await talk.asked()

    assert _waits(request) == pytest.approx(seconds, abs=0.5)


@pytest.mark.parametrize("kind", STANDARD, ids=lambda kind: kind.request)
@pytest.mark.parametrize("wrong", [0, 5, "PT0S", "-PT5M", "soon", "", "P400D", [], {}, True])
async def test_a_deadline_that_is_none_is_refused(client: Client, kind: Kind, wrong: object) -> None:
    session = await client.session()
    body = {"text": kind.text, "runConfig": {kind.timeout: wrong}}

    response = await client.http.post(f"{client.path(session)}/inputs", json=body)

    assert refusal(response) == (400, "invalid-input", None)
    assert kind.timeout in response.json()["detail"]


async def test_an_answer_in_time_is_not_given_up_later(client: Client) -> None:
    async with conversation(client, "/parallel", permissionTimeout="PT1.5S") as talk:
        requests = [await talk.asked() for _ in range(3)]
        await talk.accepted(requests[0], approved=True)
        # The other two expire behind it.
        await talk.until("AGENT_REQUEST_EXPIRED")
        await talk.end()

    expired = [event["requestId"] for event in of_type(talk.events, "AGENT_REQUEST_EXPIRED")]
    assert id_of(requests[0]) not in expired
    assert len(expired) == 2


async def test_an_answer_behind_the_deadline_is_too_late_also_when_nobody_has_noticed(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, sweep_seconds=3600, lease_seconds=60).start()
    async with Client(server.url) as client, conversation(client, "/permission", permissionTimeout=SOON) as talk:
        request = await talk.asked()
        await _past(_time(request["expiresAt"]) + timedelta(milliseconds=100))

        late = await talk.answer(request, approved=True)
        log = await talk.log()

    assert refusal(late) == (409, "response-not-awaited", "timed-out")
    assert log[-1] == request


async def test_a_question_whose_deadline_passes_while_no_server_runs_is_given_up_by_the_next(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, sweep_seconds=0.05, lease_seconds=1).start()
    async with Client(server.url) as client:
        session = await client.session()
        body = {"text": "/permission", "runConfig": {"permissionTimeout": "PT1S"}}
        accepted = (await client.http.post(f"{client.path(session)}/inputs", json=body)).json()
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST")
        server.kill()

    server.start()
    async with Client(server.url) as client:
        run = await client.ended(session, accepted["runtimeRunId"])
        log = await client.log(session)

    types = [event["type"] for event in log]
    assert run["status"] == "completed"
    assert [types.count(name) for name in ("PERMISSION_REQUEST", *EXPIRED)] == [1, 1, 1]
    assert types.index("AGENT_REQUEST_EXPIRED") < types.index("PERMISSION_DENIED") < types.index("TOOL_CALL_RESULT")


async def test_a_run_that_runs_out_of_time_cancels_what_it_has_asked(client: Client) -> None:
    async with conversation(client, "/parallel", runTimeout="PT3S") as talk:
        requests = [await talk.asked() for _ in range(3)]
        await talk.accepted(requests[1], approved=True)
        seen = await talk.end()
        late = await talk.answer(requests[0], approved=True)

    cancelled = of_type(talk.events, "AGENT_REQUEST_CANCELLED")
    made = ["PERMISSION_RESPONSE", "PERMISSION_APPROVED", *DONE]
    ended = ["AGENT_REQUEST_CANCELLED"] * 2 + [*DONE, *DONE, "MESSAGE_TURN_ERROR", "BRANCH_RUN_COMPLETED"]
    assert [*PARALLEL, *["PERMISSION_REQUEST"] * 3, *made, *ended] == seen
    assert [event["requestId"] for event in cancelled] == [id_of(requests[0]), id_of(requests[2])]
    assert {event["requestEventType"] for event in cancelled} == {"PERMISSION_REQUEST"}
    assert (talk.events[-1]["status"], talk.events[-1]["errorType"]) == ("failed", "RunTimedOut")
    assert refusal(late) == (409, "branch-runtime-not-active", "cancelled")


async def _past(moment: datetime) -> None:
    async with asyncio.timeout(10):
        while True:
            if datetime.now(UTC) > moment:
                return
            await asyncio.sleep(0.02)


def _belongs(event: dict[str, Any], request: dict[str, Any]) -> bool:
    return event.get("callId") == request["callId"] or event.get("requestId") == id_of(request)


def _waits(request: dict[str, Any]) -> float:
    return (_time(request["expiresAt"]) - _time(request["timestamp"])).total_seconds()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
