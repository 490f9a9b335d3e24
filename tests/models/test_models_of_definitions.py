"""What a definition says of its model reaches the provider, or is refused at the member that is to blame."""

from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Text
from tests.models.opened import define, run_with

MODEL = {"providerKey": "openai", "modelName": "m", "endpoint": "http://127.0.0.1:9/v1"}


async def test_a_definition_of_a_client_names_no_variable_of_the_server(open_client: Client) -> None:
    chat = {"providerKey": "openai", "modelName": "m", "apiKeyVariable": "CANARY_FILE_KEY"}

    answer = await open_client.http.post("/agents", json={"name": "thief", "config": {"clients": {"chat": chat}}})

    assert (answer.status_code, answer.json()["code"]) == (400, "config-refused")
    assert "/clients/chat/apiKeyVariable" in answer.text


@pytest.mark.parametrize(
    ("config", "pointer", "says"),
    [
        ({}, "/clients/chat", "providerKey"),
        ({"clients": {"chat": {"providerKey": "opnai", "modelName": "m"}}}, "/clients/chat/providerKey", "openai"),
        ({"clients": {"chat": {"providerKey": "groq", "modelName": "m"}}}, "/clients/chat/providerKey", "GROQ_API_KEY"),
        ({"clients": {"chat": {**MODEL, "endpoint": "ftp://a"}}}, "/clients/chat/endpoint", "https://"),
        ({"clients": {"chat": {**MODEL, "providerKey": "deepseek"}}}, "/clients/chat/endpoint", "one address"),
        ({"clients": {"chat": MODEL}, "chat": {"topK": 3}}, "/chat/topK", "does not honour"),
        ({"clients": {"chat": MODEL}, "chat": {"temperature": 9}}, "/chat/temperature", "2"),
        ({"clients": {"chat": MODEL}, "chat": {"modelId": "a"}}, "/chat/modelId", "modelName"),
        *(
            (
                {"clients": {"chat": MODEL}, "chat": {"additionalProperties": {"seed": 1, member: 2}}},
                f"/config/chat/additionalProperties/{member}",
                f"'{member}'",
            )
            for member in ("model", "Stream", "messages", "tools", "cached_content", "cachedContent", "models", "n")
        ),
    ],
)
async def test_a_definition_that_cannot_be_built_is_refused_at_the_member_that_is_to_blame(
    open_client: Client, config: dict[str, Any], pointer: str, says: str
) -> None:
    answer = await open_client.http.post("/agents", json={"name": "impossible", "config": config})

    assert (answer.status_code, answer.json()["code"]) == (400, "config-refused")
    assert pointer in answer.text
    assert says in answer.json()["detail"]


async def test_what_a_run_says_is_beside_or_instead_of_what_the_definition_says(
    open_client: Client, provider: FakeProvider, provider_port: int
) -> None:
    model = {**MODEL, "endpoint": f"http://127.0.0.1:{provider_port}/v1"}
    defaults = {"temperature": 0.3, "topP": 0.9, "additionalProperties": {"a": 1}}
    open_client.agent = await define(open_client, model, defaults)
    provider.answers(Text("Yes."))

    await run_with(open_client, {"chat": {"topP": 0.1, "additionalProperties": {"b": 2}}})

    body = (await provider.request(0)).body
    assert {name: body[name] for name in ("temperature", "top_p", "a", "b")} == {
        "temperature": 0.3,
        "top_p": 0.1,
        "a": 1,
        "b": 2,
    }


async def test_no_provider_is_suggested_that_people_cannot_have(open_client: Client) -> None:
    chat = {"providerKey": "test", "modelName": "m"}

    answer = await open_client.http.post("/agents", json={"name": "tester", "config": {"clients": {"chat": chat}}})

    assert answer.status_code == 400
    assert "There is no provider 'test'. Perhaps" not in answer.json()["detail"]
