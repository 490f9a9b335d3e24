"""Every member of runConfig reaches the provider, or is refused by its name."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import Page
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Broken, Call, Endless, Hold, Reason, Status, Text
from tests.harness.sqlite import sqlite_database
from tests.models.run_config_cases import FORM, HARNESS, HONOURED, INVALID, REFUSED, tools_of

AGENTS = Path(__file__).parent / "configurable.py"
FILE = """
systemInstructions = "Be brief."
tools = ["clock"]
[clients.chat]
providerKey = "{provider}"
modelName = "{model}"
endpoint = "{endpoint}"
apiKeyVariable = "CANARY_FILE_KEY"
"""


@pytest.fixture(scope="module")
def environment(provider_port: int) -> Iterator[None]:
    at = f"http://127.0.0.1:{provider_port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_OPENAI", f"{at}/v1")
        patch.setenv("ANTHROPIC_BASE_URL", at)
        patch.setenv("ANTHROPIC_API_KEY", "CANARY-usual-key")
        patch.setenv("CANARY_FILE_KEY", "CANARY-file-key")
        patch.setenv("CANARY_ADOPTED_KEY", "CANARY-adopted-key")
        patch.setenv("OPENAI_API_KEY", "CANARY-openai-key")
        yield


def _serve(folder: Path, port: int, **settings: object) -> ServerProcess:
    (folder / "agents").mkdir()
    for name, provider, model, path in (
        ("plain", "openai", "local-model", "/v1"),
        ("thinker", "openai-responses", "gpt-5-mini", "/v1"),
        ("claude", "anthropic", "claude-sonnet-4-5", ""),
    ):
        text = FILE.format(provider=provider, model=model, endpoint=f"http://127.0.0.1:{port}{path}")
        (folder / "agents" / f"{name}.toml").write_text(text)
    return ServerProcess(folder, sqlite_database(folder), str(AGENTS), **settings)


@pytest.fixture(scope="module")
def open_server(
    tmp_path_factory: pytest.TempPathFactory, environment: None, provider_port: int
) -> Iterator[ServerProcess]:
    """A server that lets clients say where models are."""
    folder = tmp_path_factory.mktemp("open")
    with _serve(
        folder,
        provider_port,
        client_endpoints="true",
        model="openai:assistant-model",
        model_base_url=f"http://127.0.0.1:{provider_port}/v1",
    ) as server:
        yield server


@pytest.fixture
async def client(open_server: ServerProcess) -> AsyncIterator[Client]:
    async with Client(open_server.url) as client:
        yield client


@pytest.mark.parametrize(
    ("agent", "config", "look", "expected"),
    HONOURED,
    ids=[f"{agent} {json.dumps(config)[:60]}" for agent, config, _, _ in HONOURED],
)
async def test_what_a_run_says_reaches_the_provider(
    client: Client,
    provider: FakeProvider,
    agent: str,
    config: dict[str, Any],
    look: Callable[[Request], Any],
    expected: Any,
) -> None:
    client.agent = agent
    provider.answers(Text('{"city":"Oslo"}'))

    run = await _run(client, config)

    assert run["status"] == "completed", run
    assert expected == look(await provider.request(0))


async def test_what_is_not_honoured_is_refused_by_name_and_nothing_changes(client: Client) -> None:
    session = await client.session()
    before = await client.log_text(session)

    wrong = [
        (agent, config, answer)
        for agent, config, named in REFUSED
        if not _is_refusal(answer := await _sent(client, agent, session, config), "run-config-refused", named)
    ]

    assert wrong == []
    assert before == await client.log_text(session)


async def test_what_cannot_be_is_refused_by_name_and_nothing_changes(client: Client) -> None:
    session = await client.session()
    before = await client.log_text(session)

    wrong = [
        (config, answer)
        for config, named in INVALID
        if not _is_refusal(answer := await _sent(client, "plain", session, config), "invalid-input", named)
    ]

    assert wrong == []
    assert before == await client.log_text(session)


def _is_refusal(answer: dict[str, Any], code: str, named: str) -> bool:
    return answer["status"] == 400 and answer["code"] == code and named in answer["detail"]


async def _sent(client: Client, agent: str, session: str, config: dict[str, Any]) -> dict[str, Any]:
    client.agent = agent
    response = await client.http.post(f"{client.path(session)}/inputs", json={"text": "Hello", "runConfig": config})
    return {"status": response.status_code, **response.json()}


async def test_an_answer_in_the_form_asked_for_is_the_text_of_the_message(
    client: Client, provider: FakeProvider
) -> None:
    client.agent = "plain"
    provider.answers(Text('{"city":'), Text('"Oslo"}'))
    native = await _run(client, {"structuredOutput": {"mode": "native", "schema": FORM}})
    provider.answers(Call("place", '{"city":', '"Oslo"}'))
    by_tool = await _run(client, {"structuredOutput": {"mode": "tool", "schema": FORM, "name": "place"}})

    asked, called = await provider.request(0), await provider.request(1)

    assert _said(native["log"]) == '{"city":"Oslo"}'
    assert _said(by_tool["log"]) == '{"city":"Oslo"}'
    assert asked.body["response_format"]["json_schema"]["schema"]["required"] == ["city"]
    assert tools_of(called) == ["clock", "place"]
    assert "TOOL_CALL_START" not in [event["type"] for event in by_tool["log"]]


async def test_an_answer_that_does_not_fit_is_asked_for_again_and_then_fails_the_run(
    client: Client, provider: FakeProvider
) -> None:
    client.agent = "plain"
    config = {"structuredOutput": {"mode": "native", "schema": FORM}}
    provider.answers(Text('{"town":"Oslo"}'))
    provider.answers(Text('{"city":"Oslo"}'))
    second_fits = await _run(client, config)
    told = (await provider.request(1)).messages()[-1]["content"]

    provider.answers(Text('{"town":"Oslo"}'))
    provider.answers(Text("{}"))
    none_fits = await _run(client, config)

    assert second_fits["status"] == "completed"
    assert '"city" is a required property' in told
    ended = none_fits["log"][-1]
    assert (none_fits["status"], ended["errorType"]) == ("failed", "AnswerMisfit")
    assert "structuredOutput" in ended["errorMessage"]


async def test_reasoning_that_is_not_wanted_is_not_told(client: Client, provider: FakeProvider) -> None:
    client.agent = "plain"
    provider.otherwise = lambda request: (Reason("Hm."), Text("Yes."))

    told = await _run(client, {})
    untold = await _run(client, {"chat": {"reasoning": {"output": "none"}}})

    assert "REASONING_DELTA" in [event["type"] for event in told["log"]]
    assert [event for event in untold["log"] if event["type"].startswith("REASONING")] == []


@pytest.mark.parametrize(("agent", "tool"), [("adopted", "weather"), ("plain", "clock"), ("plain", "open_file")])
async def test_without_tools_a_model_that_calls_one_all_the_same_does_nothing(
    client: Client, provider: FakeProvider, agent: str, tool: str
) -> None:
    client.agent = agent
    provider.answers(Call(tool, '{"city":"Oslo"}'))
    provider.answers(Text("As you like."))

    run = await _run(client, {"skipTools": True, "clientToolInput": {"clientToolHarnesses": [HARNESS]}})

    results = [event["result"] for event in run["log"] if event["type"] == "TOOL_CALL_RESULT"]
    assert run["status"] == "completed"
    assert [result["resultType"] for result in results] == ["error"]
    assert "rain" not in json.dumps(results)
    assert "noon" not in json.dumps(results)
    assert [event for event in run["log"] if event["type"] == "CLIENT_TOOL_INVOKE_REQUEST"] == []


async def test_the_sample_of_the_how_to_page_is_done_as_it_says(client: Client, provider: FakeProvider) -> None:
    (sample,) = Page("docs/how-to/models.md").samples("json")
    body = json.loads(sample.text)
    client.agent = "plain"
    provider.answers(Text('{"answer":"In the south."}'))

    run = await _run(client, body["runConfig"])

    asked = (await provider.request(0)).body
    assert run["status"] == "completed"
    assert (asked["temperature"], asked["max_completion_tokens"]) == (0.2, 400)


async def test_how_often_a_model_is_called_is_not_for_a_library_to_limit(
    client: Client, provider: FakeProvider
) -> None:
    client.agent = "adopted"
    for _ in range(51):
        provider.answers(Call("weather", '{"city":"Oslo"}'))
    provider.answers(Text("Rain."))

    run = await _run(client, {})

    assert run["status"] == "completed"
    assert len(provider.requests) == 52


async def test_pieces_that_come_close_together_are_one_event(client: Client, provider: FakeProvider) -> None:
    client.agent = "plain"
    pieces = [f"{number} " for number in range(200)]
    provider.answers(Reason("One."), Reason("Two."), *map(Text, pieces))

    run = await _run(client, {"coalesceDeltas": True})

    told = [event["text"] for event in run["log"] if event["type"] == "TEXT_DELTA"]
    assert "".join(told) == "".join(pieces)
    assert told[0] == pieces[0]
    assert len(told) < len(pieces) / 4
    assert "".join(event["text"] for event in run["log"] if event["type"] == "REASONING_DELTA") == "One.Two."


async def test_a_joined_piece_is_told_in_time_though_no_other_follows(client: Client, provider: FakeProvider) -> None:
    client.agent = "plain"
    seen = asyncio.Event()
    provider.answers(Text("a"), Text("b"), Text("c"), Hold(seen), Text("d"))
    session = await client.session()

    accepted = await _sent(client, "plain", session, {"coalesceDeltas": True})
    async with client.feed(session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "TEXT_DELTA" and event["text"].endswith("c"))
        seen.set()
        await client.ended(session, accepted["runtimeRunId"])

    assert _said(await client.log(session)) == "abcd"


async def test_an_interrupt_leaves_in_history_what_was_told_and_no_more(client: Client, provider: FakeProvider) -> None:
    client.agent = "plain"
    provider.answers(Endless("on "))
    session = await client.session()
    accepted = await _sent(client, "plain", session, {"coalesceDeltas": True})
    async with client.feed(session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "TEXT_DELTA")

    await client.http.post(f"{client.path(session)}/interrupt", json={})

    await client.ended(session, accepted["runtimeRunId"])
    log = await client.log(session)
    check_log(log)
    provider.answers(Text("Well."))
    again = await client.accepted(session, "What did you say?")
    await client.ended(session, again["runtimeRunId"])
    history = (await provider.request(1)).messages()
    assert [message["content"] for message in history if message["role"] == "assistant"] == [_said(log)]


async def test_a_key_of_the_server_is_not_sent_where_a_client_says(
    client: Client, provider: FakeProvider, provider_port: int
) -> None:
    at = f"http://127.0.0.1:{provider_port}"
    provider.otherwise = lambda request: (Text("Yes."),)
    client.agent = "adopted"
    await _run(client, {"providerEndpoint": f"{at}/elsewhere"})
    await _run(client, {"providerEndpoint": f"{at}/elsewhere", "apiKey": "CANARY-run-key"})
    await _run(client, {"providerKey": "openai", "modelId": "m", "providerEndpoint": f"{at}/elsewhere"})
    await _run(client, {"providerKey": "anthropic", "modelId": "m", "providerEndpoint": at})
    client.agent = await _defined(client, {"providerKey": "openai", "modelName": "m", "endpoint": f"{at}/elsewhere"})
    await _run(client, {})

    sent = [(request.path.partition("?")[0], request.headers["authorization"]) for request in provider.requests]

    assert sent == [
        ("/elsewhere/chat/completions", "Bearer none"),
        ("/elsewhere/chat/completions", "Bearer CANARY-run-key"),
        ("/elsewhere/chat/completions", "Bearer none"),
        ("/v1/messages", "Bearer none"),
        ("/elsewhere/chat/completions", "Bearer none"),
    ]


async def test_no_key_is_in_an_event_an_answer_an_error_or_the_servers_log(
    client: Client, provider: FakeProvider, open_server: ServerProcess, provider_port: int
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
        session = await client.session()
        sent = await _sent(client, agent, session, keys)
        run = await client.ended(session, sent["runtimeRunId"])
        told += [json.dumps(sent), json.dumps(run), await client.log_text(session)]
    refusals = [{**keys, "useCache": True}, {"apiKey": "CANARY x"}, {**keys, "providerKey": "groq", "modelId": "x"}]
    told += [json.dumps(await _sent(client, "plain", session, refusal)) for refusal in refusals]
    for path in ("/agents", "/agents/plain", "/sessions", f"/sessions/{session}", f"{client.path(session)}/runs"):
        told.append((await client.http.get(path)).text)

    assert all(request.headers["x-custom"] == "CANARY-header" for request in provider.requests)
    assert [text for text in told if "CANARY" in text.replace("CANARY_", "")] == []
    assert "CANARY-" not in open_server.errors.read_text()


async def test_a_definition_of_a_client_names_no_variable_of_the_server(client: Client) -> None:
    chat = {"providerKey": "openai", "modelName": "m", "apiKeyVariable": "CANARY_FILE_KEY"}

    answer = await client.http.post("/agents", json={"name": "thief", "config": {"clients": {"chat": chat}}})

    assert (answer.status_code, answer.json()["code"]) == (400, "config-refused")
    assert "/clients/chat/apiKeyVariable" in answer.text


async def _defined(client: Client, chat: dict[str, Any]) -> str:
    answer = await client.http.post("/agents", json={"name": "stored", "config": {"clients": {"chat": chat}}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _run(client: Client, config: dict[str, Any]) -> dict[str, Any]:
    session = await client.session()
    body = {"text": "Hello", "runConfig": config}
    response = await client.http.post(f"{client.path(session)}/inputs", json=body)
    assert response.status_code == 202, response.text
    run = await client.ended(session, response.json()["runtimeRunId"])
    log = await client.log(session)
    check_log(log)
    return {**run, "log": log}


def _said(log: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA")
