"""Whether a tool may be called: this once, or from now on in the session, or by the word of one run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.conversation import Conversation, conversation, id_of, of_type, only
from tests.harness.process import ServerProcess
from tests.interactions.orders import ALLOWED, ANSWERED_CALL, CALL, CLOSING, DENIED, DONE, OPENING, SAID, SPEAKING

BEFORE = [*OPENING, *SPEAKING, *CALL]
ASKED = ["PERMISSION_REQUEST"]


@dataclass(frozen=True)
class Choice:
    """An answer that is remembered, and what comes of it."""

    answer: dict[str, Any]
    decision: str
    told: str
    told_later: str


ALLOW_ALWAYS = Choice(
    answer={"approved": True, "choice": "allow_always"},
    decision="PERMISSION_APPROVED",
    told="notes.txt was deleted.",
    told_later="notes.txt was deleted.",
)
DENY_ALWAYS = Choice(
    answer={"approved": False, "choice": "deny_always"},
    decision="PERMISSION_DENIED",
    told="The user denied this call.",
    told_later="The user has denied all calls of this tool.",
)

each_choice = pytest.mark.parametrize("choice", [ALLOW_ALWAYS, DENY_ALWAYS], ids=lambda choice: choice.decision)


async def test_an_allowed_call_is_made(client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        request = await talk.asked()
        await talk.accepted(request, approved=True, reason="go ahead")
        seen = await talk.end()

    approved, result = only(talk.events, "PERMISSION_APPROVED"), only(talk.events, "TOOL_CALL_RESULT")
    assert [*BEFORE, *ASKED, *ALLOWED, *ANSWERED_CALL] == seen
    assert _decision(approved) == (id_of(request), "Permission", "delete_file", request["callId"], "go ahead")
    assert result["result"] == {"text": "notes.txt was deleted.", "json": "notes.txt was deleted."}
    assert talk.events[-1]["status"] == "completed"


@pytest.mark.parametrize(("reason", "told"), [(None, "The user denied this call."), ("Not mine.", "Not mine.")])
async def test_a_denied_call_is_not_made_and_its_result_says_why(client: Client, reason: str | None, told: str) -> None:
    async with conversation(client, "/permission") as talk:
        request = await talk.asked()
        await talk.accepted(request, approved=False, **({} if reason is None else {"reason": reason}))
        seen = await talk.end()

    denied, result = only(talk.events, "PERMISSION_DENIED"), only(talk.events, "TOOL_CALL_RESULT")
    assert [*BEFORE, *ASKED, *DENIED, *ANSWERED_CALL] == seen
    assert _decision(denied) == (id_of(request), "Permission", "delete_file", request["callId"], reason)
    assert (result["callId"], result["result"]) == (request["callId"], {"text": told, "resultType": "denied"})
    assert talk.last_text == f"delete_file: {told}"
    assert (talk.events[-1]["status"], talk.events[-1]["cancelled"]) == ("completed", False)


@pytest.mark.parametrize("approved", [True, False])
async def test_an_answer_for_one_call_is_not_remembered(client: Client, approved: bool) -> None:
    async with conversation(client, "/permission") as talk:
        await talk.accepted(await talk.asked(), approved=approved, choice="ask")
        await talk.end()

    async with conversation(client, "/permission", talk.session) as again:
        await again.asked()


@each_choice
async def test_a_remembered_choice_is_told_and_nothing_is_asked(client: Client, choice: Choice) -> None:
    async with conversation(client, "/permission") as talk:
        request = await _always(talk, choice)
    async with conversation(client, "/permission", talk.session) as again:
        seen = await again.end()

    _assert_remembered(again, choice, seen)
    assert only(again.events, choice.decision)["permissionId"] != id_of(request)
    assert only(talk.events, "TOOL_CALL_RESULT")["result"]["text"] == choice.told


@each_choice
async def test_a_choice_is_remembered_on_every_branch_of_its_session_and_in_no_other(
    client: Client, choice: Choice
) -> None:
    async with conversation(client, "/permission") as talk:
        await client.branch(talk.session, "before")
        await _always(talk, choice)
        await client.branch(talk.session, "after")

    async with conversation(client, "/permission", talk.session, "before") as before:
        _assert_remembered(before, choice, await before.end())
    async with conversation(client, "/permission", talk.session, "after") as after:
        _assert_remembered(after, choice, await after.end())
    async with conversation(client, "/permission") as elsewhere:
        await elsewhere.asked()


@each_choice
async def test_a_choice_is_of_one_function_and_not_of_others(client: Client, choice: Choice) -> None:
    async with conversation(client, "/permission") as talk:
        await _always(talk, choice)
    async with conversation(client, "/parallel", talk.session) as parallel:
        asked = [await parallel.asked(), await parallel.asked()]

    assert [request["functionName"] for request in asked] == ["read_file", "write_file"]


@each_choice
async def test_a_choice_is_remembered_when_the_server_was_started_again(
    make_server: Callable[..., ServerProcess], database_url: str, choice: Choice
) -> None:
    server = make_server(database_url, lease_seconds=60).start()
    async with Client(server.url) as client, conversation(client, "/permission") as talk:
        await _always(talk, choice)
    assert server.terminate() == 0

    server.start()
    async with Client(server.url) as client:
        async with conversation(client, "/permission", talk.session) as again:
            _assert_remembered(again, choice, await again.end())
        async with conversation(client, "/permission") as elsewhere:
            await elsewhere.asked()


async def test_a_choice_in_one_branch_does_not_answer_what_another_has_asked_already(client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        await client.branch(talk.session, "aside")
        request = await talk.asked()
        async with conversation(client, "/permission", talk.session, "aside") as aside:
            await _always(aside, DENY_ALWAYS)

        still_open = await talk.open()
        await talk.accepted(request, approved=True)
        seen = await talk.end()

    assert [question["requestId"] for question in still_open] == [id_of(request)]
    assert [*BEFORE, *ASKED, *ALLOWED, *ANSWERED_CALL] == seen


async def test_the_last_choice_counts(client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        await client.branch(talk.session, "aside")
        first = await talk.asked()
        async with conversation(client, "/permission", talk.session, "aside") as aside:
            await _always(aside, DENY_ALWAYS)
        await talk.accepted(first, **ALLOW_ALWAYS.answer)
        await talk.end()

    async with conversation(client, "/permission", talk.session) as again:
        _assert_remembered(again, ALLOW_ALWAYS, await again.end())


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_run_can_be_told_what_is_allowed_in_it(client: Client, allowed: bool) -> None:
    async with conversation(client, "/permission", permissionOverrides={"delete_file": allowed}) as talk:
        seen = await talk.end()

    decision = "PERMISSION_APPROVED" if allowed else "PERMISSION_DENIED"
    told = "notes.txt was deleted." if allowed else "This run does not allow calls of this tool."
    assert [*BEFORE, decision, *ANSWERED_CALL] == seen
    assert only(talk.events, decision)["reason"] == "override"
    assert only(talk.events, "TOOL_CALL_RESULT")["result"]["text"] == told


async def test_what_a_run_is_told_is_not_remembered(client: Client) -> None:
    async with conversation(client, "/permission", permissionOverrides={"delete_file": True}) as talk:
        await talk.end()

    async with conversation(client, "/permission", talk.session) as again:
        await again.asked()


async def test_what_a_run_is_told_wins_over_what_is_remembered_and_leaves_it_as_it_is(client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        await _always(talk, DENY_ALWAYS)
    overrides = {"delete_file": True}
    async with conversation(client, "/permission", talk.session, permissionOverrides=overrides) as told:
        await told.end()
    async with conversation(client, "/permission", talk.session) as again:
        _assert_remembered(again, DENY_ALWAYS, await again.end())

    assert only(told.events, "PERMISSION_APPROVED")["reason"] == "override"
    assert only(told.events, "TOOL_CALL_RESULT")["result"]["text"] == "notes.txt was deleted."


async def test_a_run_can_forbid_a_tool_that_needs_no_permission(client: Client) -> None:
    async with conversation(client, "/tool Rome", permissionOverrides={"get_weather": False}) as talk:
        seen = await talk.end()

    assert [*BEFORE, "PERMISSION_DENIED", *ANSWERED_CALL] == seen
    assert only(talk.events, "TOOL_CALL_RESULT")["result"]["resultType"] == "denied"


@pytest.mark.parametrize("overrides", [{}, {"get_weather": True}, {"delete_file": False}])
async def test_a_tool_that_needs_no_permission_is_called_without_a_word(
    client: Client, overrides: dict[str, bool]
) -> None:
    async with conversation(client, "/tool Rome", permissionOverrides=overrides) as talk:
        seen = await talk.end()

    assert [*BEFORE, *ANSWERED_CALL] == seen


async def test_overrides_are_of_single_tools_in_a_batch(client: Client) -> None:
    overrides = {"read_file": True, "delete_file": False}
    async with conversation(client, "/parallel", permissionOverrides=overrides) as talk:
        request = await talk.asked()
        await talk.accepted(request, approved=True)
        await talk.end()

    results = {event["name"]: event["result"]["text"] for event in of_type(talk.events, "TOOL_CALL_RESULT")}
    assert request["functionName"] == "write_file"
    assert results == {
        "read_file": "read_file.txt has 3 lines.",
        "write_file": "write_file.txt was written.",
        "delete_file": "This run does not allow calls of this tool.",
    }


async def test_a_choice_holds_for_nested_work_and_one_made_there_holds_outside(client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        await _always(talk, DENY_ALWAYS)
    async with conversation(client, "/subagent", talk.session) as inside:
        await inside.end()
    async with conversation(client, "/subagent") as asking:
        request = await asking.asked()
        await asking.accepted(request, **ALLOW_ALWAYS.answer)
        await asking.end()
    async with conversation(client, "/permission", asking.session) as outside:
        _assert_remembered(outside, ALLOW_ALWAYS, await outside.end())

    assert only(inside.events, "PERMISSION_DENIED")["reason"] == "remembered"
    assert of_type(inside.events, "PERMISSION_REQUEST") == []
    assert request["metadata"]["depth"] == 1


async def test_a_clients_tool_can_need_permission_first(client: Client) -> None:
    tool = {"name": "wipe", "parametersSchema": {"type": "object"}, "requiresPermission": True}
    tools = {"clientToolHarnesses": [{"name": "ui", "tools": [tool]}]}
    async with conversation(client, "/client-tool now", clientToolInput=tools) as talk:
        permission = await talk.asked()
        await talk.accepted(permission, approved=True)
        call = await talk.asked()
        await talk.accepted(call, content=[{"type": "text", "text": "wiped"}])
        seen = await talk.end()

    assert [
        *OPENING,
        "CLIENT_TOOL_GROUPS_REGISTERED",
        *SPEAKING,
        *CALL,
        *ASKED,
        *ALLOWED,
        "CLIENT_TOOL_INVOKE_REQUEST",
        "CLIENT_TOOL_INVOKE_RESPONSE",
        *ANSWERED_CALL,
    ] == seen
    assert permission["callId"] == call["callId"]
    assert talk.last_text == "wipe: wiped"


async def test_a_clients_tool_that_is_denied_is_never_called(client: Client) -> None:
    tool = {"name": "wipe", "parametersSchema": {"type": "object"}, "requiresPermission": True}
    tools = {"clientToolHarnesses": [{"name": "ui", "tools": [tool]}]}
    async with conversation(client, "/client-tool now", clientToolInput=tools) as talk:
        await talk.accepted(await talk.asked(), approved=False)
        await talk.end()

    assert of_type(talk.events, "CLIENT_TOOL_INVOKE_REQUEST") == []
    assert only(talk.events, "TOOL_CALL_RESULT")["result"]["resultType"] == "denied"


async def _always(talk: Conversation, choice: Choice) -> dict[str, Any]:
    request = await talk.asked()
    await talk.accepted(request, **choice.answer)
    await talk.end()
    return request


def _assert_remembered(talk: Conversation, choice: Choice, seen: list[str]) -> None:
    assert [*BEFORE, choice.decision, *DONE, "AGENT_TURN_FINISHED", *SAID, *CLOSING] == seen
    call = only(talk.events, "TOOL_CALL_START")["callId"]
    decided = only(talk.events, choice.decision)
    assert decided["permissionId"].startswith("req_")
    assert _decision(decided)[1:] == ("Permission", "delete_file", call, "remembered")
    assert only(talk.events, "TOOL_CALL_RESULT")["result"]["text"] == choice.told_later


def _decision(event: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(event.get(name) for name in ("permissionId", "sourceName", "functionName", "callId", "reason"))
