"""Agents whose runs have a model chosen among candidates, by what the runs before have come to."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Spent, Status, Text
from tests.harness.sqlite import sqlite_database
from tests.routing.candidates import BAD, GOOD, SETTINGS, HalfTheTime, arms, define, observed, run, run_many, say_yes

MakeServer = Callable[..., ServerProcess]
MODEL = {"providerKey": "openai", "modelName": "own", "endpoint": "http://127.0.0.1:9/v1"}
OTHER = {**MODEL, "modelName": "other"}


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    """A provider whose models are all well."""
    async with FakeProvider() as provider:
        provider.otherwise = say_yes
        yield provider


@pytest.fixture(scope="module")
def routing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose selector is on."""
    folder = tmp_path_factory.mktemp("candidates")
    with ServerProcess(folder, sqlite_database(folder), **SETTINGS) as server:
        yield server


@pytest.fixture
async def client(routing_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of that server."""
    async with Client(routing_server.url) as client:
        yield client


@pytest.mark.timeout(150)
async def test_after_two_hundred_runs_the_model_that_does_not_fail_is_preferred(
    make_server: MakeServer, database_url: str, provider: FakeProvider
) -> None:
    provider.otherwise = answers = HalfTheTime()
    async with Client(make_server(database_url, **SETTINGS).start().url) as client:
        await define(client, provider, "bad", "good", workType="chat")

        await run_many(client, 200, at_once=5)

        known = await arms(client, "chat")
    assert answers.asked[-100:].count("good") >= 75
    assert known.keys() == {GOOD, BAD}
    assert known[GOOD]["totalObservations"] + known[BAD]["totalObservations"] == 200
    assert known[GOOD]["expectedReward"] > 0.9 > 0.6 > known[BAD]["expectedReward"]


async def test_the_work_is_that_of_the_agent_and_what_it_cost_is_learnt(client: Client, provider: FakeProvider) -> None:
    provider.otherwise = lambda request: (Text("Yes."), Spent(input=1_000_000, output=0))
    agent = await define(client, provider, "gpt-4o", "gpt-4o-2024-11-20")

    done = await run(client)

    (seen,) = await observed(client, agent)
    assert done["status"] == "completed"
    assert seen["provider"] in {"openai:gpt-4o", "openai:gpt-4o-2024-11-20"}
    # Half of the five dollars from which on a tenth of the reward is lost.
    assert seen["totalCostUsd"] == 2.5
    assert 0.94 < seen["reward"] <= 0.95


async def test_a_run_whose_input_says_what_its_model_is_is_not_learnt_of(
    client: Client, provider: FakeProvider
) -> None:
    agent = await define(client, provider, "own", "other")

    await run(client, chat={"modelId": "third"})
    await run(client, providerEndpoint=provider.openai, apiKey="sk-its-own")
    explicit = await arms(client, agent)
    await run(client, chat={"temperature": 0.5})

    asked = [request.body for request in provider.requests]
    assert [body["model"] for body in asked[:2]] == ["third", "own"]
    assert not explicit
    assert asked[2]["temperature"] == 0.5
    assert {f"openai:{asked[2]['model']}"} == (await arms(client, agent)).keys()


async def test_a_run_whose_model_fails_is_not_given_to_another_one(client: Client, provider: FakeProvider) -> None:
    provider.otherwise = lambda request: (Status(400),)
    agent = await define(client, provider, "own", "other")

    failed = await run(client)

    (asked,) = provider.requests
    (seen,) = await observed(client, agent)
    assert failed["status"] == "failed"
    assert (f"openai:{asked.body['model']}", 0) == (seen["provider"], seen["reward"])


async def test_each_model_is_told_in_its_own_words_what_the_definition_says(
    client: Client, provider: FakeProvider
) -> None:
    provider.otherwise = lambda request: (Status(400),) if request.path.endswith("/responses") else say_yes(request)
    responses = {"providerKey": "openai-responses", "modelName": "gpt-5-mini", "endpoint": provider.openai}
    claude = {"providerKey": "anthropic", "modelName": "claude-sonnet-4-5", "endpoint": provider.anthropic}
    said = {"maxOutputTokens": 9_000, "reasoning": {"effort": "low"}, "additionalProperties": {"a": 1}}
    config = {"clients": {"chat": {**responses, "candidates": [claude]}}, "chat": said}
    answer = await client.http.post("/agents", json={"name": "two wires", "config": config})
    assert answer.status_code == 201, answer.text
    client.agent = answer.json()["id"]
    asked: dict[str, Any] = {}

    for _ in range(300):
        await run(client, chat={"additionalProperties": {"b": 2}})
        asked |= {request.path.rpartition("/")[2]: request.body for request in provider.requests}
        if len(asked) == 2:
            break

    # The one that fails is tried less and less.
    assert {"responses", "messages"} == asked.keys()
    assert (asked["responses"]["max_output_tokens"], asked["responses"]["reasoning"]) == (9_000, {"effort": "low"})
    assert asked["messages"]["max_tokens"] == 9_000
    assert asked["messages"]["thinking"]["type"] == "enabled"
    assert [(body["a"], body["b"]) for body in asked.values()] == [(1, 2)] * 2


async def test_a_run_is_refused_what_one_of_the_models_does_not_honour(client: Client, provider: FakeProvider) -> None:
    claude = {"providerKey": "anthropic", "modelName": "claude-sonnet-4-5", "endpoint": provider.anthropic}
    config = {"clients": {"chat": {**claude, "candidates": [MODEL]}}}
    client.agent = (await client.http.post("/agents", json={"name": "two wires", "config": config})).json()["id"]

    session = await client.session()
    answer = await client.http.post(
        f"{client.path(session)}/inputs", json={"text": "Hello", "runConfig": {"chat": {"topK": 3}}}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "run-config-refused")
    assert "'own'" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("config", "pointer", "says"),
    [
        ({"candidates": [OTHER, MODEL]}, "/clients/chat/candidates/1", "there already"),
        ({"candidates": [{**OTHER, "providerKey": "opnai"}]}, "/clients/chat/candidates/0/providerKey", "openai"),
        (
            {"candidates": [OTHER, {**OTHER, "modelName": "c", "endpoint": "ftp://a"}]},
            "/candidates/1/endpoint",
            "https",
        ),
        ({"candidates": [{**OTHER, "apiKeyVariable": "KEY"}]}, "/candidates/0/apiKeyVariable", "file"),
        ({"candidates": [{**OTHER, "candidates": []}]}, "/clients/chat/candidates/0", "candidates"),
        ({"candidates": [{**OTHER, "modelName": f"m{n}"} for n in range(17)]}, "/clients/chat/candidates", "16"),
        ({"candidates": [OTHER], "chat": {"topK": 3}}, "/chat/topK", "does not honour"),
        ({"workType": "chat"}, "/workType", "candidates"),
    ],
)
async def test_candidates_that_cannot_be_used_are_refused_at_the_member_that_is_to_blame(
    client: Client, config: dict[str, Any], pointer: str, says: str
) -> None:
    others = {name: value for name, value in config.items() if name != "candidates"}
    wanted = {"clients": {"chat": {**MODEL, "candidates": config.get("candidates", [])}}, **others}

    answer = await client.http.post("/agents", json={"name": "impossible", "config": wanted})

    assert (answer.status_code, answer.json()["code"]) == (400, "config-refused")
    assert pointer in answer.text
    assert says in answer.json()["detail"]


async def test_addresses_of_candidates_need_the_same_leave_as_that_of_the_model(
    make_server: MakeServer, sqlite_url: str
) -> None:
    config = {"clients": {"chat": {"providerKey": "openai", "modelName": "own", "candidates": [OTHER]}}}
    async with Client(make_server(sqlite_url).start().url) as client:
        answer = await client.http.post("/agents", json={"name": "thief", "config": config})

        assert (answer.status_code, answer.json()["code"]) == (400, "config-refused")
        assert "/clients/chat/candidates/0/endpoint" in answer.text
