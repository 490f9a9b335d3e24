"""Calls of tools that go another way than a call and its result: the model is told, and the run goes on."""

import asyncio
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.said import said_in
from tests.harness.providers.steps import Call, Step, Text
from tests.interrupt.talk import Log, Talk

_MINE = {
    "clientToolHarnesses": [
        {
            "name": "page",
            "tools": [
                {
                    "name": "click",
                    "description": "Click on something.",
                    "parametersSchema": {
                        "type": "object",
                        "properties": {"id": {"type": "string"}},
                        "required": ["id"],
                    },
                },
                # The agent has one of this name, too.
                {"name": "weather", "description": "Mine.", "parametersSchema": {"type": "object", "properties": {}}},
            ],
        }
    ]
}


async def test_a_message_of_too_many_calls_is_not_taken(chat: Client, provider: FakeProvider) -> None:
    provider.answers(*[Call("nobody", id=f"call_{number}") for number in range(257)])
    session = await chat.session()

    accepted = await chat.accepted(session, "Call everybody.")
    run = await chat.ended(session, accepted["runtimeRunId"])

    said = "calls in one message; at most 256 are taken."
    assert (run["status"], run["error"]["type"]) == ("failed", "ModelAnswerTooLong")
    assert run["error"]["message"].endswith(f"made 257 {said}")
    assert "TOOL_CALL_START" not in [event["type"] for event in await chat.log(session)]


async def test_a_denied_call_is_told_to_the_model(wired: Client, provider: FakeProvider) -> None:
    provider.answers(Call("book", '{"city":"Oslo"}', id="call_a"))
    provider.answers(Text("Well."))
    talk = await Talk.begin(wired)
    await talk.say("Book Oslo.")

    (asked,) = await talk.asked()
    await talk.answer(asked, sourceName="Permission", approved=False, reason="Too far.")
    log = await talk.idle()

    assert log[-1]["status"] == "completed"
    assert said_in(provider.requests[1])[-1] == ("result", "call_a", "Too far.")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (Call("nosuch", '{"city":"Oslo"}'), "Unknown tool name: 'nosuch'. Available tools: "),
        (Call("no such\ntool"), "Unknown tool name: 'no_such_tool'. Available tools: "),
        (Call("n" * 300), f"Unknown tool name: '{'n' * 64}'. Available tools: "),
        (Call("ladder", '{"height":"high"}'), "Input should be a valid integer"),
        (Call("ladder", '{"height":'), "EOF while parsing"),
        (Call("ladder", "[1]"), "Input should be an object"),
        (Call("weather", '{"city":"\\ud83d"}'), "Invalid JSON"),
        (Call("again", '{"city":"oslo"}'), "Write the city with a capital letter."),
        (Call("refuse", '{"city":"Oslo"}'), "There is no way to Oslo."),
        (Call("crash", '{"city":"Oslo"}'), "Error: The tool crash failed."),
        (Call("book", '{"town":"Oslo"}'), "Field required"),
    ],
    ids=lambda value: value.name[:9] if isinstance(value, Call) else value[:20],
)
async def test_a_call_that_cannot_be_made_is_an_error_for_the_model_and_the_run_goes_on(
    chat: Client, provider: FakeProvider, call: Call, told: str
) -> None:
    log = await _run(chat, provider, (call,), (Text("Then not."),))

    (result,) = [event["result"] for event in log if event["type"] == "TOOL_CALL_RESULT"]
    assert result["resultType"] == "error"
    assert told in said_in(provider.requests[1])[-1][2]
    assert [event for event in log if event["type"] == "PERMISSION_REQUEST"] == []
    assert "secret" not in str(log)


async def test_calls_of_one_id_are_told_apart(wired: Client, provider: FakeProvider) -> None:
    log = await _run(
        wired,
        provider,
        (Call("weather", '{"city":"Oslo"}', id="call_0"), Call("weather", '{"city":"Rome"}', id="call_0")),
        (Call("weather", '{"city":"Bonn"}', id="call_0"),),
        (Call("weather", '{"city":"Graz"}', id="\u00e9 /" * 100),),
        (Text("Rain."),),
    )

    ids = [event["callId"] for event in log if event["type"] == "TOOL_CALL_START"]
    said = said_in(provider.requests[-1])
    assert len(set(ids)) == 4
    assert [each[1] for each in said if each[0] == "call"] == ids
    cities = ["Oslo", "Rome", "Bonn", "Graz"]
    assert [each[1:] for each in said if each[0] == "result"] == [
        (call, f"rain in {city}") for call, city in zip(ids, cities, strict=True)
    ]


async def test_a_tool_that_finds_out_that_it_needs_an_approval_is_called_again_with_it(
    wired: Client, provider: FakeProvider, wired_server: ServerProcess
) -> None:
    provider.answers(
        Call("weather", '{"city":"Oslo"}', id="call_a"),
        Call("pay", '{"euros":50}', id="call_b"),
        Call("pay", '{"euros":5}', id="call_c"),
    )
    provider.answers(Text("Paid."))
    talk = await Talk.begin(wired)
    await talk.say("Pay.")

    (asked,) = await talk.asked()
    await talk.answer(asked, sourceName="Tool", approved=True)
    log = await talk.idle()

    assert asked["request"]["arguments"] == {"euros": 50}
    assert [event["callId"] for event in log if event["type"] == "PERMISSION_APPROVED"] == ["call_b"]
    results = [each[2] for each in said_in(provider.requests[1]) if each[0] == "result"]
    assert results == ["rain in Oslo", "paid 50", "paid 5"]
    assert (wired_server.folder / "calls.txt").read_text().split("\n")[-2:] == ["pay 50", ""]


async def test_a_tool_that_finds_out_that_it_needs_an_approval_and_has_none_is_denied(
    chat: Client, provider: FakeProvider
) -> None:
    provider.answers(Call("pay", '{"euros":60}', id="call_b"))
    provider.answers(Text("Not paid."))
    talk = await Talk.begin(chat)
    await talk.say("Pay.")

    (asked,) = await talk.asked()
    await talk.answer(asked, sourceName="Tool", approved=False)
    log = await talk.idle()

    (result,) = [event["result"] for event in log if event["type"] == "TOOL_CALL_RESULT"]
    assert result == {"text": "The user denied this call.", "resultType": "denied"}


@pytest.mark.parametrize(("tool", "arguments"), [("order", {"dish": "soup"}), ("ring", {"times": 2})])
async def test_a_call_that_is_made_elsewhere_is_made_by_the_client(
    chat: Client, provider: FakeProvider, tool: str, arguments: dict[str, Any]
) -> None:
    log = await _asked_of_the_client(chat, provider, tool, arguments)

    (request,) = [event for event in log if event["type"] == "CLIENT_TOOL_INVOKE_REQUEST"]
    assert (request["toolName"], request["callId"], request["arguments"]) == (tool, "call_a", arguments)
    assert said_in(provider.requests[1])[-1] == ("result", "call_a", "Done.")


async def test_a_tool_of_the_client_is_shown_to_the_model_and_called_where_the_client_is(
    wired: Client, provider: FakeProvider
) -> None:
    await _asked_of_the_client(wired, provider, "click", {"id": "ok"}, runConfig={"clientToolInput": _MINE})

    assert said_in(provider.requests[1])[-1] == ("result", "call_a", "Done.")
    shown = _tools(provider.requests[0].body)
    description, schema = shown["click"]
    assert description == "Click on something."
    assert (schema["properties"], schema["required"]) == ({"id": {"type": "string"}}, ["id"])
    assert shown["weather"][0] == "Tell the weather."


async def test_an_agent_whose_answer_has_a_form_calls_its_tools_first(
    wired_server: ServerProcess, provider: FakeProvider
) -> None:
    async with Client(wired_server.url, "structured") as client:
        log = await _run(
            client,
            provider,
            (Call("weather", '{"city":"Oslo"}', id="call_a"),),
            (Call("final_result", '{"city":"Oslo"}', id="call_b"),),
            (Call("final_result", '{"city":"Oslo",', '"degrees":3}', id="call_c"),),
        )

    texts = [event["text"] for event in log if event["type"] == "TEXT_DELTA"]
    assert texts[-1] == '{"city":"Oslo","degrees":3}'
    assert [event["callId"] for event in log if event["type"] == "TOOL_CALL_START"] == ["call_a"]


async def test_an_agent_whose_dependency_is_the_run_has_it(wired_server: ServerProcess, provider: FakeProvider) -> None:
    async with Client(wired_server.url, "knowing") as client:
        log = await _run(client, provider, (Call("where"),), (Text("There."),))

    (result,) = [event["result"] for event in log if event["type"] == "TOOL_CALL_RESULT"]
    assert result["text"] == log[0]["sessionId"]


async def _run(client: Client, provider: FakeProvider, *answers: tuple[Step, ...]) -> Log:
    for answer in answers:
        provider.answers(*answer)
    talk = await Talk.begin(client)
    await talk.say("Go.")
    log = await talk.idle()
    assert log[-1]["status"] == "completed", log[-1]
    return log


async def _asked_of_the_client(
    client: Client, provider: FakeProvider, tool: str, arguments: dict[str, Any], **members: Any
) -> Log:
    fragments = str(arguments).replace("'", '"')
    provider.answers(Call(tool, fragments, id="call_a"))
    provider.answers(Text("Good."))
    talk = await Talk.begin(client)
    await talk.say("Go.", **members)
    async with asyncio.timeout(10):
        (asked,) = await talk.asked()
    await talk.answer(asked, sourceName="ClientTools", success=True, content=[{"type": "text", "text": "Done."}])
    log = await talk.idle()
    assert log[-1]["status"] == "completed", log[-1]
    return log


def _tools(body: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    shown = [tool.get("function", tool) for tool in body["tools"]]
    return {tool["name"]: (tool["description"], tool.get("parameters") or tool["input_schema"]) for tool in shown}
