"""One answer can be written in many ways; the log has it in one."""

import json
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.conversation import answer_to, conversation, id_of, of_type, only
from tests.harness.process import ServerProcess
from tests.interactions.kinds import Kind, each_kind

OF_THE_LOG = {"version", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId", "channel", "direction"}


@pytest.mark.parametrize(
    ("choice", "approved", "written"),
    [
        ("ask", True, "ask"),
        ("Ask", False, "ask"),
        (0, True, "ask"),
        ("allow_always", True, "allow_always"),
        ("AllowAlways", True, "allow_always"),
        ("AlwaysAllow", True, "allow_always"),
        (1, True, "allow_always"),
        ("deny_always", False, "deny_always"),
        ("DenyAlways", False, "deny_always"),
        ("AlwaysDeny", False, "deny_always"),
        (2, False, "deny_always"),
    ],
)
async def test_a_choice_can_be_written_in_three_ways(
    client: Client, choice: str | int, approved: bool, written: str
) -> None:
    async with conversation(client, "/permission") as talk:
        await talk.accepted(await talk.asked(), approved=approved, choice=choice)
        await talk.end()
    async with conversation(client, "/permission", talk.session) as again:
        remembered = written != "ask"
        decision = "PERMISSION_APPROVED" if approved else "PERMISSION_DENIED"
        later = await again.until(decision) if remembered else await again.asked()

    assert only(talk.events, "PERMISSION_RESPONSE")["choice"] == written
    assert later.get("reason") == ("remembered" if remembered else None)


async def test_an_answer_without_a_choice_holds_for_one_call_and_the_log_says_so(client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        await talk.accepted(await talk.asked(), approved=True)
        await talk.end()

    assert only(talk.events, "PERMISSION_RESPONSE")["choice"] == "ask"


@each_kind
@pytest.mark.parametrize("spell", [str.lower, str.title, str.swapcase], ids=["lower", "title", "swapped"])
async def test_the_type_can_be_in_any_case(server: ServerProcess, kind: Kind, spell: Any) -> None:
    async with Client(server.url, kind.agent) as client, conversation(client, kind.text, **kind.config) as talk:
        request = await talk.asked()
        await talk.accepted(request, **kind.answer, type=spell(kind.response))
        await talk.end()

    assert only(talk.events, kind.response)["type"] == kind.response


@each_kind
async def test_unknown_members_are_ignored_and_not_kept(server: ServerProcess, kind: Kind) -> None:
    strange = {
        "zebra": {"deep": [1, 2, {"a": None}]},
        "agentId": "another",
        "clientInputId": 17,
        "version": "9.9",
        "channel": "streaming",
        "direction": "downstream",
        "APPROVED": False,
    }
    async with Client(server.url, kind.agent) as client, conversation(client, kind.text, **kind.config) as talk:
        request = await talk.asked()
        await talk.accepted(request, **kind.answer, **strange)
        seen = await talk.end()

    response = only(talk.events, kind.response)
    assert [*kind.before, kind.request, *kind.after] == seen
    assert (response["version"], response["channel"], response["direction"]) == ("1.0", "interactive", "upstream")
    assert not set(response) & {"zebra", "agentId", "clientInputId", "APPROVED"}


@each_kind
async def test_what_is_the_logs_to_say_is_not_the_clients(server: ServerProcess, kind: Kind) -> None:
    forged = {
        "eventId": "000000000000.1",
        "sequenceNumber": 1,
        "timestamp": "2001-01-01T00:00:00Z",
        "sessionId": "elsewhere",
        "branchId": "elsewhere",
        "metadata": {"depth": 3},
        "traceId": "0" * 32,
        "spanId": "0" * 16,
        "parentSpanId": "0" * 16,
        "eventFlowId": "trn_forged",
    }
    async with Client(server.url, kind.agent) as client, conversation(client, kind.text, **kind.config) as talk:
        request = await talk.asked()
        await talk.accepted(request, **kind.answer, **forged)
        await talk.end()

    response = only(talk.events, kind.response)
    assert response["sequenceNumber"] == request["sequenceNumber"] + 1
    assert response["eventId"] == f"{request['eventId'].split('.')[0]}.{response['sequenceNumber']}"
    assert (response["sessionId"], response["branchId"]) == (talk.session, "main")
    assert response["timestamp"] >= request["timestamp"]
    assert not set(response) & {"metadata", "traceId", "spanId", "parentSpanId", "eventFlowId"}


@each_kind
@pytest.mark.parametrize("source", [None, "", "Somebody else"])
async def test_the_source_of_a_question_need_not_be_repeated(
    server: ServerProcess, kind: Kind, source: str | None
) -> None:
    async with Client(server.url, kind.agent) as client, conversation(client, kind.text, **kind.config) as talk:
        request = await talk.asked()
        await talk.accepted(request, **{**kind.answer, "sourceName": source})
        seen = await talk.end()

    assert [*kind.before, kind.request, *kind.after] == seen
    assert only(talk.events, kind.response).get("sourceName") == source


async def test_of_repeated_members_the_last_counts(client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        request = await talk.asked()
        body = json.dumps(answer_to(request, approved=False)).encode()[:-1] + b',"approved":true}'
        response = await talk.respond(body)
        await talk.end()

    assert response.status_code == 200
    assert only(talk.events, "PERMISSION_RESPONSE")["approved"] is True


@pytest.mark.parametrize("answer", ["", " ", "päivää 🌿", "a\nb\r\nc\u2028d", '"quoted" \\ and /', "x" * 300_000])
async def test_a_clarification_takes_any_text(client: Client, answer: str) -> None:
    async with conversation(client, "/clarify") as talk:
        await talk.accepted(await talk.asked(), answer=answer)
        await talk.end()

    assert only(talk.events, "CLARIFICATION_RESPONSE")["answer"] == answer
    assert talk.last_text == f"So you like {answer}."


@pytest.mark.parametrize(
    ("amount", "asked_at"),
    [(1, [4, 5, 6]), (2, [4, 6]), (None, [4]), (0, [4]), (-5, [4]), (10**30, [4])],
)
async def test_a_continuation_says_how_many_iterations_there_may_be_more(
    client: Client, amount: int | None, asked_at: list[int]
) -> None:
    more = {} if amount is None else {"extensionAmount": amount}
    async with conversation(client, "/continue 6") as talk:
        limits = []
        for _ in asked_at:
            request = await talk.asked()
            limits.append(request["maxIterations"])
            await talk.accepted(request, approved=True, **more)
        await talk.end()

    requests = of_type(talk.events, "CONTINUATION_REQUEST")
    assert [request["currentIteration"] for request in requests] == asked_at
    assert limits == [iteration - 1 for iteration in asked_at]
    assert {event["extensionAmount"] for event in of_type(talk.events, "CONTINUATION_RESPONSE")} == {amount or 0}
    assert talk.last_text == "This is iteration 6 of 6."


async def test_an_agent_says_how_far_an_answer_extends_that_does_not_say(server: ServerProcess) -> None:
    async with Client(server.url, "hurried") as client:
        async with conversation(client, "/continue 4", continuationTimeout="PT1H") as talk:
            await talk.accepted(await talk.asked(), approved=True)
            await talk.accepted(await talk.asked(), approved=True)
            await talk.end()

    requests = of_type(talk.events, "CONTINUATION_REQUEST")
    assert [(request["currentIteration"], request["maxIterations"]) for request in requests] == [(2, 1), (4, 3)]


async def test_a_run_that_may_not_go_on_says_so_and_is_completed(client: Client) -> None:
    async with conversation(client, "/continue 5") as talk:
        await talk.accepted(await talk.asked(), approved=False)
        await talk.end()

    assert only(talk.events, "MESSAGE_TURN_FINISHED")["terminationReason"] == "continuation_denied"
    assert (talk.events[-1]["status"], talk.events[-1]["cancelled"]) == ("completed", False)
    assert "not allowed to go on" in talk.last_text


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ([], {}),
        ([{"type": "text", "text": "done"}], {"text": "done", "json": "done"}),
        ([{"type": "json", "value": {"a": [1, None]}}], {"text": '{"a":[1,null]}', "json": {"a": [1, None]}}),
    ],
)
async def test_what_a_clients_tool_returns_is_its_result(
    client: Client, content: list[dict[str, Any]], result: dict[str, Any]
) -> None:
    tools = {"clientToolHarnesses": [{"name": "ui", "tools": [{"name": "show", "parametersSchema": {}}]}]}
    async with conversation(client, "/client-tool", clientToolInput=tools) as talk:
        await talk.accepted(await talk.asked(), content=content)
        await talk.end()

    assert only(talk.events, "TOOL_CALL_RESULT")["result"] == result


async def test_a_clients_tool_that_failed_has_a_result_that_says_so(client: Client) -> None:
    tools = {"clientToolHarnesses": [{"name": "ui", "tools": [{"name": "show", "parametersSchema": {}}]}]}
    async with conversation(client, "/client-tool", clientToolInput=tools) as talk:
        await talk.accepted(await talk.asked(), success=False, errorMessage="no screen")
        await talk.end()

    result = only(talk.events, "TOOL_CALL_RESULT")["result"]
    assert result["text"] == "Error: no screen"
    assert result["resultType"] == "error"


@pytest.mark.parametrize("request_id", ["pay-1", "A.b_c~d", "x" * 128])
async def test_a_custom_question_can_have_an_id_of_its_own(server: ServerProcess, request_id: str) -> None:
    async with Client(server.url, "own-ids") as client, conversation(client, request_id) as talk:
        request = await talk.asked()
        (question,) = await talk.open()
        await talk.accepted(request, paid=3)
        await talk.end()

    assert id_of(request) == question["requestId"] == request_id
    assert talk.last_text == "I was paid 3."


@pytest.mark.parametrize("request_id", ["a b", "x" * 129, "é", "."])
async def test_a_custom_question_whose_id_cannot_be_one_fails_its_run_and_is_not_asked(
    server: ServerProcess, request_id: str
) -> None:
    async with Client(server.url, "own-ids") as client, conversation(client, request_id) as talk:
        seen = await talk.end()

    assert "PAYMENT_REQUEST" not in seen
    assert (talk.events[-1]["status"], talk.events[-1]["errorType"]) == ("failed", "ValueError")


async def test_an_id_that_was_used_on_the_branch_before_is_not_asked_with_again(server: ServerProcess) -> None:
    async with Client(server.url, "own-ids") as client:
        async with conversation(client, "pay-1") as talk:
            await talk.accepted(await talk.asked(), paid=3)
            await talk.end()
        async with conversation(client, "pay-1", talk.session) as again:
            await again.end()
        await client.branch(talk.session, "aside")
        async with conversation(client, "pay-1", talk.session, "aside") as aside:
            await aside.accepted(await aside.asked(), paid=4)
            await aside.end()

    assert (again.events[-1]["status"], again.events[-1]["errorType"]) == ("failed", "ValueError")
    assert aside.last_text == "I was paid 4."
