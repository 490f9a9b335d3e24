"""Each option of each middleware that a definition can name does what its name says."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hosting.domain.definition import AgentConfig, MiddlewareConfig
from hosting.domain.errors import ConfigRefused
from hosting.ports.agents import MODEL_LIMITS
from hosting.runtime.middlewares import limits_of_config
from hosting.runtime.workshop import Workshop
from tests.definitions.theatre import Theatre, asked_in
from tests.harness.client import Client
from tests.harness.ports import kept_port
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Call, Hold, Status, Text
from tests.harness.sqlite import sqlite_database

CAST = Path(__file__).with_name("cast.py")
DETAILED = """
tools = ["crash"]
[clients.chat]
providerKey = "openai"
modelName = "gpt-5-mini"
endpoint = "http://127.0.0.1:{port}/v1"
[[middlewares]]
name = "errorFormatting"
options = {{ detailed = true }}
"""
HALF_AN_HOUR = timedelta(minutes=30)
RING = {"name": "ring", "description": "Ring.", "parametersSchema": {"type": "object"}}
CLIENT_TOOLS = {"clientToolHarnesses": [{"name": "desk", "tools": [RING]}]}

# What each asks of the model, and the type of the question that waits half an hour then.
WAITS: dict[str, tuple[Call, str]] = {
    "permissions": (Call("book", '{"city":"Oslo"}'), "PERMISSION_REQUEST"),
    "clarification": (Call("wonder"), "CLARIFICATION_REQUEST"),
    "clientTools": (Call("ring"), "CLIENT_TOOL_INVOKE_REQUEST"),
    "continuation": (Call("weather", '{"city":"Oslo"}'), "CONTINUATION_REQUEST"),
}


@pytest.fixture(scope="module")
def provider_port() -> Iterator[int]:
    """A port where each test's own provider listens, one after the other."""
    with kept_port() as own:
        yield own


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, provider_port: int) -> Iterator[ServerProcess]:
    """A server for all tests here."""
    folder = tmp_path_factory.mktemp("stage")
    (folder / "agents").mkdir()
    (folder / "agents" / "detailed.toml").write_text(DETAILED.format(port=provider_port))
    with ServerProcess(folder, sqlite_database(folder), str(CAST), client_endpoints="true") as server:
        yield server


@pytest.fixture
async def theatre(stage: ServerProcess, provider_port: int) -> AsyncIterator[Theatre]:
    """A client of it, and a provider that says `Yes.` when nothing else is scripted."""
    async with FakeProvider(provider_port) as provider, Client(stage.url) as client:
        provider.otherwise = lambda request: (Text("Yes."),)
        yield Theatre(client, provider)


def middleware(name: str, **options: Any) -> list[dict[str, Any]]:
    """Return what a config says to have one."""
    return [{"name": name, "options": options}]


async def run_of(client: Client, text: str = "Go") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Send an input in a session of its own, and return its run and log once it has ended."""
    session = await client.session()
    run = await client.ended(session, (await client.accepted(session, text))["runtimeRunId"])
    return run, await client.log(session)


@pytest.mark.parametrize("name", WAITS)
async def test_a_question_waits_as_long_as_its_middleware_says(theatre: Theatre, name: str) -> None:
    call, asked = WAITS[name]
    options = {"timeout": "PT30M"} | ({"limit": 1} if name == "continuation" else {})
    theatre.provider.answers(call)
    await theatre.define("Act.", tools=["weather", "book", "wonder"], middlewares=middleware(name, **options))
    client = theatre.client
    session = await client.session()

    body = {"text": "Go", "runConfig": {"clientToolInput": CLIENT_TOOLS}}
    await client.http.post(f"{client.path(session)}/inputs", json=body)
    question = await asked_in(client, session)

    waits = datetime.fromisoformat(question["expiresAt"]) - datetime.fromisoformat(question["requestedAt"])
    assert question["type"] == asked
    assert abs(waits - HALF_AN_HOUR) < timedelta(seconds=1)


async def test_continuation_says_how_many_calls_there_are_before_it_asks_and_how_many_more_then(
    theatre: Theatre,
) -> None:
    theatre.provider.otherwise = lambda request: (Call("weather", '{"city":"Oslo"}'),)
    await theatre.define("Act.", tools=["weather"], middlewares=middleware("continuation", limit=2, extension=4))
    client = theatre.client
    session = await client.session()
    await client.accepted(session, "Go")

    first = await asked_in(client, session)
    answer = {"type": "CONTINUATION_RESPONSE", "continuationId": first["requestId"], "approved": True}
    await client.http.post(f"{client.path(session)}/responses", json=answer)
    second = await asked_in(client, session, after=first)

    assert [(asked["request"]["currentIteration"], asked["request"]["maxIterations"]) for asked in (first, second)] == [
        (3, 2),
        (7, 6),
    ]


async def test_max_agentic_iterations_is_the_same_limit(theatre: Theatre) -> None:
    theatre.provider.answers(Call("weather", '{"city":"Oslo"}'))
    await theatre.define("Act.", tools=["weather"], maxAgenticIterations=1)
    session = await theatre.client.session()

    await theatre.client.accepted(session, "Go")
    asked = await asked_in(theatre.client, session)

    assert (asked["type"], asked["request"]["maxIterations"]) == ("CONTINUATION_REQUEST", 1)


@pytest.mark.parametrize("retries", [0, 1])
async def test_retry_says_how_often_a_model_is_asked_again(theatre: Theatre, retries: int) -> None:
    theatre.provider.otherwise = lambda request: (Status(500, {"retry-after": "0"}),)
    await theatre.define("Act.", middlewares=middleware("retry", maxRetries=retries))

    run, log = await run_of(theatre.client)

    assert run["status"] == "failed"
    assert len(theatre.provider.requests) == retries + 1
    assert [event["type"] for event in log].count("MODEL_CALL_RETRY") == retries


async def test_budget_says_how_many_failures_in_a_row_end_a_run(theatre: Theatre) -> None:
    theatre.provider.otherwise = lambda request: (Call("crash", '{"city":"Oslo"}'),)
    await theatre.define("Act.", tools=["crash"], middlewares=middleware("budget", maxFailures=2))

    run, _ = await run_of(theatre.client)

    assert (run["status"], run["error"]["type"]) == ("failed", "BudgetExceeded")
    assert len(theatre.provider.requests) == 2


async def test_timeout_says_how_long_a_run_may_take_unless_its_input_does(theatre: Theatre) -> None:
    theatre.provider.otherwise = lambda request: (Hold(),)
    client = theatre.client
    errors = []

    for own, of_input in (("PT0.3S", {}), ("PT1H", {"runTimeout": "PT0.4S"})):
        await theatre.define("Act.", middlewares=middleware("timeout", run=own))
        session = await client.session()
        body = {"text": "Go", "runConfig": of_input}
        accepted = (await client.http.post(f"{client.path(session)}/inputs", json=body)).json()
        errors.append((await client.ended(session, accepted["runtimeRunId"]))["error"])

    assert [error["type"] for error in errors] == ["RunTimedOut"] * 2
    assert ["0.3 seconds" in errors[0]["message"], "0.4 seconds" in errors[1]["message"]] == [True, True]


async def test_only_a_definition_in_a_file_can_have_errors_told_in_detail(theatre: Theatre) -> None:
    call = Call("crash", '{"city":"Oslo"}')
    theatre.provider.answers(call)
    await theatre.define("Act.", tools=["crash"])
    _, plain = await run_of(theatre.client)

    theatre.client.agent = "detailed"
    theatre.provider.answers(call)
    _, detailed = await run_of(theatre.client)

    told = [
        event["result"]["text"] for log in (plain, detailed) for event in log if event["type"] == "TOOL_CALL_RESULT"
    ]
    assert told == ["Error: The tool crash failed.", "Error: no way to Oslo"]


def test_a_definition_that_says_nothing_is_allowed_what_agents_with_a_model_are() -> None:
    assert limits_of_config(AgentConfig(), by_operator=False) == MODEL_LIMITS
    quiet = AgentConfig(middlewares=(MiddlewareConfig(name="permissions"), MiddlewareConfig(name="continuation")))
    assert limits_of_config(quiet, by_operator=False) == MODEL_LIMITS
    assert MODEL_LIMITS.iterations == 50


def test_the_limit_of_model_calls_is_said_in_one_place_and_the_usual_one_is_no_second() -> None:
    limited = (MiddlewareConfig(name="continuation", options={"limit": 7}),)

    assert limits_of_config(AgentConfig(middlewares=limited), by_operator=False).iterations == 7
    assert limits_of_config(AgentConfig(max_agentic_iterations=60), by_operator=False).iterations == 60
    with pytest.raises(ConfigRefused, match="`maxAgenticIterations` says already"):
        limits_of_config(AgentConfig(max_agentic_iterations=60, middlewares=limited), by_operator=False)


def test_without_models_installed_a_config_is_refused_with_what_to_install() -> None:
    with pytest.raises(ConfigRefused, match=r"pip install branchline\[models\]") as refused:
        Workshop().build("agt_1", "Poet", AgentConfig())

    assert refused.value.pointer == "/clients"
