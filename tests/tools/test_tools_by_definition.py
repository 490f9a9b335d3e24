"""Toolsets of definitions that clients store: refused by the member to blame, until the operator allows them."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Call, Text
from tests.tools.session import Toolbox, processes_of, wait_until_gone
from tests.tools.test_mcp import TIME

SPEC: Final = {"openapi": "3.1.0", "paths": {"/pets": {"get": {"operationId": "listPets"}}}}
PETS: Final = {
    "name": "pets",
    "baseUrl": "http://127.0.0.1:9",
    "spec": SPEC,
    "headers": {"Authorization": "tell-nobody"},
}


def _body(provider: FakeProvider | None = None, **toolsets: Any) -> dict[str, Any]:
    chat = {"providerKey": "openai", "modelName": "gpt-5-mini"}
    at = {} if provider is None else {"endpoint": provider.openai}
    return {"name": "helper", "config": {"clients": {"chat": {**chat, **at}}, **toolsets}}


async def test_clients_may_name_neither_commands_nor_addresses_unless_the_operator_allows_it(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    file = {"name": "pets", "baseUrl": "http://127.0.0.1:9", "specFile": "/etc/hostname"}
    async with Client(server.url) as client:
        chat = {"providerKey": "openai", "modelName": "m"}
        cases = {
            "/config/clients/chat/endpoint": {"clients": {"chat": {**chat, "endpoint": "http://127.0.0.1:9/v1"}}},
            "/config/clients/chat/apiKeyVariable": {"clients": {"chat": {**chat, "apiKeyVariable": "PATH"}}},
            "/config/openApi/0/specFile": {"openApi": [file]},
            "/config/mcpServers/0/command": {"mcpServers": [TIME]},
            "/config/mcpServers/0/url": {"mcpServers": [{"name": "time", "url": "http://127.0.0.1:9/mcp"}]},
            "/config/mcpServers/0/name": {"mcpServers": [{**TIME, "name": "a clock"}]},
            "/config/openApi/0/baseUrl": {"openApi": [PETS]},
        }

        answers = {
            (pointer, runtime): await client.http.post("/agents", json=_body(runtime=runtime, **toolsets))
            for pointer, toolsets in cases.items()
            for runtime in ("local", "worker")
        }

    for (pointer, _), answer in answers.items():
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["pointer"]) == (400, "config-refused", pointer)
        assert "tell-nobody" not in answer.text


async def test_a_model_is_offered_the_tools_of_a_definition_and_calls_them(
    make_server: Callable[..., ServerProcess], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-a-fake-provider")
    server = make_server(sqlite_url, client_commands=True, client_endpoints=True).start()
    collapsed = {**PETS, "startCollapsed": True, "description": "Knows pets."}
    async with FakeProvider() as provider, Client(server.url) as client:
        created = await client.http.post("/agents", json=_body(provider, mcpServers=[TIME], openApi=[collapsed]))
        shown = await client.http.get(created.headers["Location"])
        provider.answers(Call("time_get_current_time", '{"timezone":"UTC"}'), Call("pets"))
        provider.answers(Text("Done."))
        client.agent = created.json()["id"]

        told = await Toolbox(client, await client.session()).does("What time is it?")

        first, second = [(await provider.request(number)).body for number in range(2)]
    children = processes_of(server)
    status = server.terminate()

    assert (created.status_code, told.text) == (201, "Done.")
    offered = [sorted(tool["function"]["name"] for tool in body["tools"]) for body in (first, second)]
    assert offered == [
        ["pets", "time_convert_time", "time_get_current_time"],
        ["pets_listPets", "time_convert_time", "time_get_current_time"],
    ]
    (now,) = [tool["function"] for tool in first["tools"] if tool["function"]["name"] == "time_get_current_time"]
    assert (now["description"], now["parameters"]["required"]) == (
        "Get current time in a specific timezone",
        ["timezone"],
    )
    answers = [message["content"] for message in second["messages"] if message["role"] == "tool"]
    assert ("day_of_week" in answers[0], "pets_listPets" in answers[1]) == (True, True)
    assert (status, len(children)) == (0, 1)
    wait_until_gone(children)
    assert shown.json()["config"]["openApi"][0]["headers"] == {"Authorization": "***"}
