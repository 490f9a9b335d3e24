"""What a tool returns, raises and asks, as the run tells it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.conversation import conversation, of_type, only
from tests.harness.process import ServerProcess
from tests.interactions.orders import ANSWERED_CALL, CALL, CLOSING, DONE, OPENING, SAID

NO_TEXT = ["AGENT_TURN_STARTED"]
BEFORE = [*OPENING, *NO_TEXT, *CALL]


@pytest.fixture
async def caller(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the agent that calls the tools it is told to."""
    async with Client(server.url, "caller") as client:
        yield client


@pytest.mark.parametrize(
    ("tool", "result", "told"),
    [
        ("text", {"text": "plain text", "json": "plain text"}, "plain text"),
        (
            "json",
            {
                "text": '{"given":{"name":"json"},"list":[1,2.5,null,true]}',
                "json": {"given": {"name": "json"}, "list": [1, 2.5, None, True]},
            },
            '{"given":{"name":"json"},"list":[1,2.5,null,true]}',
        ),
        ("nothing", {}, ""),
        ("result", {"content": [{"type": "text", "text": "a piece"}], "resultType": "timeout"}, ""),
        ("object", {"text": "Error: The tool object failed.", "resultType": "error"}, "Error: The tool object failed."),
        (
            "surrogate",
            {"text": "Error: The tool surrogate failed.", "resultType": "error"},
            "Error: The tool surrogate failed.",
        ),
        (
            "private",
            {"text": "Error: The tool private failed.", "resultType": "error"},
            "Error: The tool private failed.",
        ),
        (
            "public",
            {"text": "Error: There are no pears.", "resultType": "error"},
            "Error: There are no pears.",
        ),
        (
            "unheard-of",
            {"text": "Error: There is no tool of this name.", "resultType": "error"},
            "Error: There is no tool of this name.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_whatever_a_tool_does_the_run_tells_and_goes_on(
    caller: Client, tool: str, result: dict[str, Any], told: str
) -> None:
    async with conversation(caller, tool) as talk:
        seen = await talk.end()

    ended = only(talk.events, "TOOL_CALL_RESULT")
    assert [*BEFORE, *ANSWERED_CALL] == seen
    assert ended["result"] == result
    assert (ended["name"], ended["callType"]) == (tool, "function")
    assert talk.last_text == f"{tool}: {told}"
    assert talk.events[-1]["status"] == "completed"


async def test_a_call_is_told_with_its_name_its_arguments_and_its_message(caller: Client) -> None:
    async with conversation(caller, "text") as talk:
        await talk.end()

    start, args = only(talk.events, "TOOL_CALL_START"), only(talk.events, "TOOL_CALL_ARGS")
    result, end = only(talk.events, "TOOL_CALL_RESULT"), only(talk.events, "TOOL_CALL_END")
    assert len({event["callId"] for event in (start, args, result, end)}) == 1
    assert (start["name"], args["argsJson"]) == ("text", '{"name":"text"}')
    assert start["messageId"] == result["messageId"]


async def test_what_a_tool_raises_stays_with_the_server(caller: Client, server: ServerProcess) -> None:
    async with conversation(caller, "private") as talk:
        await talk.end()
        body = await caller.log_text(talk.session)

    assert "hunter2" not in body
    assert "hunter2" in server.errors.read_text()


async def test_a_tool_can_ask(caller: Client) -> None:
    async with conversation(caller, "ask") as talk:
        request = await talk.asked()
        await talk.accepted(request, answer="red")
        seen = await talk.end()

    assert [*BEFORE, "CLARIFICATION_REQUEST", "CLARIFICATION_RESPONSE", *ANSWERED_CALL] == seen
    assert (request["question"], request["options"]) == ("Red or green?", ["red", "green"])
    assert talk.last_text == "ask: red"


async def test_a_tool_can_ask_more_than_once(caller: Client) -> None:
    async with conversation(caller, "ask-twice") as talk:
        await talk.accepted(await talk.asked(), answer="this")
        await talk.accepted(await talk.asked(), answer="that")
        seen = await talk.end()

    asked = ["CLARIFICATION_REQUEST", "CLARIFICATION_RESPONSE"]
    assert [*BEFORE, *asked, *asked, *ANSWERED_CALL] == seen
    assert only(talk.events, "TOOL_CALL_RESULT")["result"]["json"] == ["this", "that"]


async def test_a_tool_that_is_not_answered_in_time_fails_and_the_run_goes_on(caller: Client) -> None:
    async with conversation(caller, "ask", clarificationTimeout="PT0.2S") as talk:
        await talk.asked()
        seen = await talk.end()

    result = only(talk.events, "TOOL_CALL_RESULT")["result"]
    assert [*BEFORE, "CLARIFICATION_REQUEST", "AGENT_REQUEST_EXPIRED", *ANSWERED_CALL] == seen
    assert result["resultType"] == "error"
    assert result["text"] == "Error: Nobody answered the CLARIFICATION_REQUEST in time."
    assert talk.events[-1]["status"] == "completed"


async def test_a_tool_that_was_allowed_can_ask_behind_its_permission(caller: Client) -> None:
    async with conversation(caller, "gated-ask") as talk:
        await talk.accepted(await talk.asked(), approved=True)
        await talk.accepted(await talk.asked(), answer="green")
        seen = await talk.end()

    permission = ["PERMISSION_REQUEST", "PERMISSION_RESPONSE", "PERMISSION_APPROVED"]
    asked = ["CLARIFICATION_REQUEST", "CLARIFICATION_RESPONSE"]
    assert [*BEFORE, *permission, *asked, *ANSWERED_CALL] == seen
    assert talk.last_text == "gated-ask: green"


async def test_tools_of_one_batch_can_ask_side_by_side(caller: Client) -> None:
    async with conversation(caller, "ask text ask") as talk:
        first, second = await talk.asked(), await talk.asked()
        await talk.accepted(second, answer="green")
        await talk.until("TOOL_CALL_END")
        await talk.accepted(first, answer="red")
        await talk.end()

    assert talk.last_text == "ask: red; text: plain text; ask: green"
    assert len(of_type(talk.events, "TOOL_CALL_RESULT")) == 3


async def test_a_tool_that_takes_too_long_has_a_result_that_says_so(caller: Client) -> None:
    async with conversation(caller, "endless") as talk:
        await talk.end()

    result = only(talk.events, "TOOL_CALL_RESULT")["result"]
    assert result["text"] == "Error: The tool endless took longer than the 0.05 seconds it was allowed."
    assert talk.events[-1]["status"] == "completed"


async def test_a_tool_that_failed_is_called_again_and_each_time_is_told_first(caller: Client) -> None:
    async with conversation(caller, "flaky") as talk:
        seen = await talk.end()

    retry = only(talk.events, "FUNCTION_RETRY")
    assert [*BEFORE, "FUNCTION_RETRY", *ANSWERED_CALL] == seen
    assert (retry["functionName"], retry["attempt"], retry["maxRetries"]) == ("flaky", 1, 1)
    assert (retry["delay"], retry["exceptionType"]) == ("PT1S", "RuntimeError")
    assert retry["errorMessage"] == "The tool flaky failed."
    assert (retry["isRetryable"], retry["isModelNotFound"]) == (True, False)
    assert talk.last_text == "flaky: the second time"


async def test_a_run_ends_when_ten_calls_in_a_row_have_failed(caller: Client) -> None:
    async with conversation(caller, "\n".join(["private"] * 12)) as talk:
        seen = await talk.end()

    ended = talk.events[-1]
    assert seen.count("TOOL_CALL_START") == 10
    assert [event["result"]["resultType"] for event in of_type(talk.events, "TOOL_CALL_RESULT")][:9] == ["error"] * 9
    assert (ended["status"], ended["errorType"]) == ("failed", "BudgetExceeded")
    assert ended["errorMessage"] == "10 tool calls failed one after the other; the run is ended."
    assert seen[-2:] == ["MESSAGE_TURN_ERROR", "BRANCH_RUN_COMPLETED"]
    assert "MESSAGE_TURN_FINISHED" not in seen


async def test_a_call_that_succeeds_forgives_those_that_failed_before(caller: Client) -> None:
    async with conversation(caller, "\n".join([*["private"] * 9, "text", *["private"] * 9])) as talk:
        await talk.end()

    assert talk.events[-1]["status"] == "completed"
    assert len(of_type(talk.events, "TOOL_CALL_RESULT")) == 19


async def test_each_batch_is_the_end_of_one_turn_of_the_agent(caller: Client) -> None:
    async with conversation(caller, "text\nnothing text") as talk:
        seen = await talk.end()

    first = [*NO_TEXT, *CALL, *DONE, "AGENT_TURN_FINISHED"]
    second = [*NO_TEXT, *CALL, *CALL, *DONE, *DONE, "AGENT_TURN_FINISHED"]
    assert [*OPENING, *first, *second, *SAID, *CLOSING] == seen
    assert [event["iteration"] for event in of_type(talk.events, "AGENT_TURN_STARTED")] == [1, 2, 3]
