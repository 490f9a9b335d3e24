"""Every member of runConfig reaches the provider, or is refused by its name."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.docs.pages import Page
from tests.harness.client import Client
from tests.harness.conversation import answer_to, post_answer
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Broken, Call, Endless, Hold, Reason, Status, Text
from tests.models.opened import define, run_with, said_in, send_with
from tests.models.run_config_cases import FORM, HARNESS, HONOURED, INVALID, REFUSED, tools_of


@pytest.mark.parametrize(
    ("agent", "config", "look", "expected"),
    HONOURED,
    ids=[f"{agent} {json.dumps(config)[:60]}" for agent, config, _, _ in HONOURED],
)
async def test_what_a_run_says_reaches_the_provider(
    open_client: Client,
    provider: FakeProvider,
    agent: str,
    config: dict[str, Any],
    look: Callable[[Request], Any],
    expected: Any,
) -> None:
    open_client.agent = agent
    provider.answers(Text('{"city":"Oslo"}'))

    run = await run_with(open_client, config)

    assert run["status"] == "completed", run
    assert expected == look(await provider.request(0))


async def test_what_is_not_honoured_is_refused_by_name_and_nothing_changes(open_client: Client) -> None:
    session = await open_client.session()
    before = await open_client.log_text(session)

    wrong = [
        (agent, config, answer)
        for agent, config, named in REFUSED
        if not _is_refusal(answer := await send_with(open_client, agent, session, config), "run-config-refused", named)
    ]

    assert wrong == []
    assert before == await open_client.log_text(session)


async def test_what_cannot_be_is_refused_by_name_and_nothing_changes(open_client: Client) -> None:
    session = await open_client.session()
    before = await open_client.log_text(session)

    wrong = [
        (config, answer)
        for config, named in INVALID
        if not _is_refusal(answer := await send_with(open_client, "plain", session, config), "invalid-input", named)
    ]

    assert wrong == []
    assert before == await open_client.log_text(session)


def _is_refusal(answer: dict[str, Any], code: str, named: str) -> bool:
    return answer["status"] == 400 and answer["code"] == code and named in answer["detail"]


async def test_an_answer_in_the_form_asked_for_is_the_text_of_the_message(
    open_client: Client, provider: FakeProvider
) -> None:
    open_client.agent = "plain"
    provider.answers(Text('{"city":'), Text('"Oslo"}'))
    native = await run_with(open_client, {"structuredOutput": {"mode": "native", "schema": FORM}})
    provider.answers(Call("place", '{"city":', '"Oslo"}'))
    by_tool = await run_with(open_client, {"structuredOutput": {"mode": "tool", "schema": FORM, "name": "place"}})

    asked, called = await provider.request(0), await provider.request(1)

    assert said_in(native["log"]) == '{"city":"Oslo"}'
    assert said_in(by_tool["log"]) == '{"city":"Oslo"}'
    assert asked.body["response_format"]["json_schema"]["schema"]["required"] == ["city"]
    assert tools_of(called) == ["clock", "place"]
    assert "TOOL_CALL_START" not in [event["type"] for event in by_tool["log"]]


async def test_a_form_may_refer_to_what_it_defines_and_be_named_as_a_tool_where_it_is_none(
    open_client: Client, provider: FakeProvider
) -> None:
    open_client.agent = "plain"
    schema = {**FORM, "properties": {"city": {"$ref": "#/$defs/name"}}, "$defs": {"name": {"type": "string"}}}
    provider.otherwise = lambda request: (Text('{"city":"Oslo"}'),)

    run = await run_with(open_client, {"structuredOutput": {"mode": "native", "schema": schema, "name": "clock"}})

    assert (run["status"], said_in(run["log"])) == ("completed", '{"city":"Oslo"}')


async def test_a_form_cannot_be_named_as_a_tool_of_the_agents_own_or_of_a_description(open_client: Client) -> None:
    service = {"openapi": "3.1.0", "info": {}, "paths": {"/pets": {"get": {"operationId": "list"}}}}
    config = {
        "clients": {"chat": {"providerKey": "openai", "modelName": "m"}},
        "openApi": [{"name": "pets", "baseUrl": "http://127.0.0.1:9", "spec": service}],
    }
    stored = await open_client.http.post("/agents", json={"name": "keeper", "config": config})
    assert stored.status_code == 201, stored.text
    session = await open_client.session()

    for agent, tool in (("adopted", "weather"), (stored.json()["id"], "pets_list")):
        wanted = {"mode": "tool", "schema": FORM, "name": tool}
        answer = await send_with(open_client, agent, session, {"structuredOutput": wanted})
        assert _is_refusal(answer, "invalid-input", "structuredOutput.name"), answer


async def test_a_form_named_as_a_tool_that_comes_with_the_run_fails_it_in_words(
    open_client: Client, provider: FakeProvider
) -> None:
    open_client.agent = "plain"
    wanted = {"mode": "tool", "schema": FORM, "name": "open_file"}

    run = await run_with(
        open_client, {"structuredOutput": wanted, "clientToolInput": {"clientToolHarnesses": [HARNESS]}}
    )

    said = "A tool is called open_file as well; send another `runConfig.structuredOutput.name`."
    assert run["error"] == {"type": "AnswerNameTaken", "message": said}
    assert provider.requests == []


async def test_an_answer_that_does_not_fit_is_asked_for_again_and_then_fails_the_run(
    open_client: Client, provider: FakeProvider
) -> None:
    open_client.agent = "plain"
    config = {"structuredOutput": {"mode": "native", "schema": FORM}}
    provider.answers(Text('{"town":"Oslo"}'))
    provider.answers(Text('{"city":"Oslo"}'))
    second_fits = await run_with(open_client, config)
    told = (await provider.request(1)).messages()[-1]["content"]

    provider.answers(Text('{"town":"Oslo"}'))
    provider.answers(Text("{}"))
    none_fits = await run_with(open_client, config)

    assert second_fits["status"] == "completed"
    assert '"city" is a required property' in told
    ended = none_fits["log"][-1]
    assert (none_fits["status"], ended["errorType"]) == ("failed", "AnswerMisfit")
    assert "structuredOutput" in ended["errorMessage"]


async def test_reasoning_that_is_not_wanted_is_not_told(open_client: Client, provider: FakeProvider) -> None:
    open_client.agent = "plain"
    provider.otherwise = lambda request: (Reason("Hm."), Text("Yes."))

    told = await run_with(open_client, {})
    untold = await run_with(open_client, {"chat": {"reasoning": {"output": "none"}}})

    assert "REASONING_DELTA" in [event["type"] for event in told["log"]]
    assert [event for event in untold["log"] if event["type"].startswith("REASONING")] == []


@pytest.mark.parametrize(("agent", "tool"), [("adopted", "weather"), ("plain", "clock"), ("plain", "open_file")])
async def test_without_tools_a_model_that_calls_one_all_the_same_does_nothing(
    open_client: Client, provider: FakeProvider, agent: str, tool: str
) -> None:
    open_client.agent = agent
    provider.answers(Call(tool, '{"city":"Oslo"}'))
    provider.answers(Text("As you like."))

    run = await run_with(open_client, {"skipTools": True, "clientToolInput": {"clientToolHarnesses": [HARNESS]}})

    results = [event["result"] for event in run["log"] if event["type"] == "TOOL_CALL_RESULT"]
    assert run["status"] == "completed"
    assert [result["resultType"] for result in results] == ["error"]
    assert "rain" not in json.dumps(results)
    assert "noon" not in json.dumps(results)
    assert [event for event in run["log"] if event["type"] == "CLIENT_TOOL_INVOKE_REQUEST"] == []


async def test_the_sample_of_the_how_to_page_is_done_as_it_says(open_client: Client, provider: FakeProvider) -> None:
    (sample,) = Page("docs/how-to/models.md").samples("json")
    body = json.loads(sample.text)
    open_client.agent = "plain"
    provider.answers(Text('{"answer":"In the south."}'))

    run = await run_with(open_client, body["runConfig"])

    asked = (await provider.request(0)).body
    assert run["status"] == "completed"
    assert (asked["temperature"], asked["max_tokens"]) == (0.2, 400)


async def test_a_model_may_be_called_more_often_than_its_library_lets_it_when_the_user_says_so(
    open_client: Client, provider: FakeProvider
) -> None:
    open_client.agent = "adopted"
    for _ in range(51):
        provider.answers(Call("weather", '{"city":"Oslo"}'))
    provider.answers(Text("Rain."))
    session = await open_client.session()
    accepted = await open_client.accepted(session, "Hello")
    async with open_client.feed(session, after=accepted["position"]) as feed:
        asked = (await feed.until(lambda event: event["type"] == "CONTINUATION_REQUEST"))[-1].json
    called = len(provider.requests)

    answered = await post_answer(open_client, session, answer_to(asked, approved=True))
    run = await open_client.ended(session, accepted["runtimeRunId"])

    assert (answered.status_code, run["status"]) == (200, "completed")
    assert (called, len(provider.requests)) == (50, 52)


async def test_pieces_that_come_close_together_are_one_event(open_client: Client, provider: FakeProvider) -> None:
    open_client.agent = "plain"
    pieces = [f"{number} " for number in range(200)]
    provider.answers(Reason("One."), Reason("Two."), *map(Text, pieces))

    run = await run_with(open_client, {"coalesceDeltas": True})

    told = [event["text"] for event in run["log"] if event["type"] == "TEXT_DELTA"]
    assert "".join(told) == "".join(pieces)
    assert told[0] == pieces[0]
    assert len(told) < len(pieces) / 4
    assert "".join(event["text"] for event in run["log"] if event["type"] == "REASONING_DELTA") == "One.Two."


async def test_a_joined_piece_is_told_in_time_though_no_other_follows(
    open_client: Client, provider: FakeProvider
) -> None:
    open_client.agent = "plain"
    seen = asyncio.Event()
    provider.answers(Text("a"), Text("b"), Text("c"), Hold(seen), Text("d"))
    session = await open_client.session()

    accepted = await send_with(open_client, "plain", session, {"coalesceDeltas": True})
    async with open_client.feed(session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "TEXT_DELTA" and event["text"].endswith("c"))
        seen.set()
        await open_client.ended(session, accepted["runtimeRunId"])

    assert said_in(await open_client.log(session)) == "abcd"


async def test_an_interrupt_leaves_in_history_what_was_told_and_no_more(
    open_client: Client, provider: FakeProvider
) -> None:
    open_client.agent = "plain"
    provider.answers(Endless("on "))
    session = await open_client.session()
    accepted = await send_with(open_client, "plain", session, {"coalesceDeltas": True})
    async with open_client.feed(session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "TEXT_DELTA")

    await open_client.http.post(f"{open_client.path(session)}/interrupt", json={})

    await open_client.ended(session, accepted["runtimeRunId"])
    log = await open_client.log(session)
    check_log(log)
    provider.answers(Text("Well."))
    again = await open_client.accepted(session, "What did you say?")
    await open_client.ended(session, again["runtimeRunId"])
    history = (await provider.request(1)).messages()
    assert [message["content"] for message in history if message["role"] == "assistant"] == [said_in(log)]


async def test_a_key_of_the_server_is_not_sent_where_a_client_says(
    open_client: Client, provider: FakeProvider, provider_port: int
) -> None:
    at = f"http://127.0.0.1:{provider_port}"
    provider.otherwise = lambda request: (Text("Yes."),)
    open_client.agent = "adopted"
    await run_with(open_client, {"providerEndpoint": f"{at}/elsewhere"})
    await run_with(open_client, {"providerEndpoint": f"{at}/elsewhere", "apiKey": "CANARY-run-key"})
    await run_with(open_client, {"providerKey": "openai", "modelId": "m", "providerEndpoint": f"{at}/elsewhere"})
    await run_with(open_client, {"providerKey": "anthropic", "modelId": "m", "providerEndpoint": at})
    open_client.agent = await define(
        open_client, {"providerKey": "openai", "modelName": "m", "endpoint": f"{at}/elsewhere"}
    )
    await run_with(open_client, {})

    sent = [(request.path.partition("?")[0], request.headers["authorization"]) for request in provider.requests]

    assert sent == [
        ("/elsewhere/chat/completions", "Bearer none"),
        ("/elsewhere/chat/completions", "Bearer CANARY-run-key"),
        ("/elsewhere/chat/completions", "Bearer none"),
        ("/v1/messages", "Bearer none"),
        ("/elsewhere/chat/completions", "Bearer none"),
    ]


async def test_no_key_is_in_an_event_an_answer_an_error_or_the_servers_log(
    open_client: Client, provider: FakeProvider, opened_server: ServerProcess, provider_port: int
) -> None:
    told: list[str] = []
    provider.otherwise = lambda request: (Text("This time."),)
    keys = {"apiKey": "CANARY-run-key", "customHeaders": {"x-custom": "CANARY-header"}}
    leaks = Status(401, message="Incorrect API key provided: CANARY-run-key, CANARY-file-key")
    for agent, steps in (
        ("plain", [Text("Yes.")]),
        ("plain", [leaks]),
        ("adopted", [leaks]),
        ("assistant", [leaks]),
        ("plain", [Status(503, message="CANARY-run-key")]),
        ("plain", [Text("So "), Broken(message="CANARY-run-key")]),
    ):
        provider.answers(*steps)
        session = await open_client.session()
        sent = await send_with(open_client, agent, session, keys)
        run = await open_client.ended(session, sent["runtimeRunId"])
        told += [json.dumps(sent), json.dumps(run), await open_client.log_text(session)]
    refusals = [{**keys, "useCache": True}, {"apiKey": "CANARY x"}, {**keys, "providerKey": "groq", "modelId": "x"}]
    told += [json.dumps(await send_with(open_client, "plain", session, refusal)) for refusal in refusals]
    for path in ("/agents", "/agents/plain", "/sessions", f"/sessions/{session}", f"{open_client.path(session)}/runs"):
        told.append((await open_client.http.get(path)).text)

    assert all(request.headers["x-custom"] == "CANARY-header" for request in provider.requests)
    assert [text for text in told if "CANARY" in text.replace("CANARY_", "")] == []
    assert "CANARY-" not in opened_server.errors.read_text()
