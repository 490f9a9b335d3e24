"""`/agents` over HTTP: what can be defined, changed, listed and deleted, and what cannot."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hosting.domain.scope import LOCAL_TENANT, TenantId
from tests.definitions.made import CIPHER, NOW, definition
from tests.edge.rows import count_rows
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.store.units import opened

MakeServer = Callable[..., ServerProcess]
Json = dict[str, Any]

ELSEWHERE: Json = {"runtime": "worker", "workType": "development", "projectName": "verse", "priority": 2}
TABLES = ("agents", "agent_versions")
MANY = 1000

# Each is a config, the member that is to blame, and a piece of what is said of it.
OPENAI: Json = {"providerKey": "openai", "modelName": "gpt-5-mini"}
BAD_CONFIGS: dict[str, tuple[object, str, str]] = {
    "no model": ({}, "/config/clients/chat", "needs a model"),
    "an unknown provider": (
        {"clients": {"chat": {**OPENAI, "providerKey": "oracle-of-delphi"}}},
        "/config/clients/chat/providerKey",
        "oracle-of-delphi",
    ),
    "a provider whose key the server lacks": (
        {"clients": {"chat": {"providerKey": "groq", "modelName": "llama-3.3-70b-versatile"}}},
        "/config/clients/chat/providerKey",
        "GROQ_API_KEY",
    ),
    "an endpoint": (
        {"clients": {"chat": {**OPENAI, "endpoint": "http://127.0.0.1:1/v1"}}},
        "/config/clients/chat/endpoint",
        "client_endpoints",
    ),
    "a variable of the server's": (
        {"clients": {"chat": {**OPENAI, "apiKeyVariable": "HOME"}}},
        "/config/clients/chat/apiKeyVariable",
        "in a file",
    ),
    "a temperature of no model's": (
        {"clients": {"chat": OPENAI}, "chat": {"temperature": 3}},
        "/config/chat/temperature",
        "at most 2",
    ),
    "a command": (
        {"clients": {"chat": OPENAI}, "mcpServers": [{"name": "x", "command": "true"}]},
        "/config/mcpServers/0/command",
        "client_commands",
    ),
    "no object": ([], "/config", "must be an object"),
    "null": (None, "/config", "must be an object"),
    "an unknown member": ({"nonsense": 1}, "/config/nonsense", "no member 'nonsense'"),
    "a name of another case": ({"SystemInstructions": "x"}, "/config/SystemInstructions", "no member"),
    "an unknown runtime": ({"runtime": "moon"}, "/config/runtime", "cannot be 'moon'"),
    "instructions that are no text": ({"systemInstructions": 7}, "/config/systemInstructions", "must be a string"),
    "a limit of nothing": ({"maxAgenticIterations": 0}, "/config/maxAgenticIterations", "at least 1"),
    "a priority that is none": ({"runtime": "worker", "priority": 10}, "/config/priority", "at most 9"),
    "an empty work type": ({"runtime": "worker", "workType": ""}, "/config/workType", "must not be empty"),
    "a work type without a worker": ({"workType": "x"}, "/config/workType", "worker"),
    "a priority without a worker": ({"priority": 1}, "/config/priority", "worker"),
    "a model without a name": ({"clients": {"chat": {"providerKey": "openai"}}}, "/config/clients/chat/modelName", ""),
    "a model whose name is no text": (
        {"clients": {"chat": {"providerKey": "openai", "modelName": 5}}},
        "/config/clients/chat/modelName",
        "`config.clients.chat.modelName`",
    ),
    "an unknown client": ({"clients": {"smell": {}}}, "/config/clients/smell", "no member"),
    "a member with a slash": ({"a/b": 1}, "/config/a~1b", "no member"),
    "a tool that the server does not have": ({"tools": ["saw"]}, "/config/tools/0", "no tool 'saw'"),
    "a tool that is no name": ({"tools": [[]]}, "/config/tools/0", "must be a string"),
    "an unknown middleware": ({"middlewares": [{"name": "magic"}]}, "/config/middlewares/0/name", "those there are"),
    "a middleware without a name": ({"middlewares": [{}]}, "/config/middlewares/0/name", "is missing"),
    "a middleware twice": (
        {"middlewares": [{"name": "permissions"}, {"name": "permissions"}]},
        "/config/middlewares/1/name",
        "twice",
    ),
    "an unknown option": (
        {"middlewares": [{"name": "permissions"}, {"name": "retry", "options": {"often": 1}}]},
        "/config/middlewares/1/options/often",
        "no member",
    ),
    "an option that is missing": ({"middlewares": [{"name": "retry"}]}, "/config/middlewares/0/options/maxRetries", ""),
    "a duration that is none": (
        {"middlewares": [{"name": "permissions", "options": {"timeout": "soon"}}]},
        "/config/middlewares/0/options/timeout",
        "a duration like PT5M",
    ),
    "a run of a year": (
        {"middlewares": [{"name": "timeout", "options": {"run": "P365D"}}]},
        "/config/middlewares/0/options/run",
        "at most 7 days",
    ),
    "a limit that is said twice": (
        {"maxAgenticIterations": 5, "middlewares": [{"name": "continuation", "options": {"limit": 5}}]},
        "/config/middlewares/0/options/limit",
        "in one place",
    ),
    "errors in detail": (
        {"middlewares": [{"name": "errorFormatting", "options": {"detailed": True}}]},
        "/config/middlewares/0/options/detailed",
        "in a file",
    ),
    "a bad middleware of a worker's": (
        {"runtime": "worker", "middlewares": [{"name": "magic"}]},
        "/config/middlewares/0/name",
        "no middleware 'magic'",
    ),
}


async def defined(client: Client, config: Json = ELSEWHERE, name: str = "Poet", **more: Any) -> Json:
    """Define an agent and return what was answered."""
    response = await client.http.post("/agents", json={"name": name, "config": config, **more})
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/agents/{response.json()['id']}"
    stored: Json = response.json()
    return stored


async def changed(client: Client, agent_id: str, config: object) -> httpx.Response:
    """Give an agent another config."""
    return await client.http.put(f"/agents/{agent_id}", json={"config": config})


async def test_a_definition_is_created_read_changed_and_deleted(client: Client) -> None:
    stored = await defined(client, metadata={"team": "verse"})
    read = await client.http.get(f"/agents/{stored['id']}")
    same = await changed(client, stored["id"], ELSEWHERE)
    revised = await changed(client, stored["id"], {"runtime": "worker"})
    read_again = await client.http.get(f"/agents/{stored['id']}")
    deleted = await client.http.delete(f"/agents/{stored['id']}")
    gone = [
        await client.http.get(f"/agents/{stored['id']}"),
        await changed(client, stored["id"], ELSEWHERE),
        await client.http.delete(f"/agents/{stored['id']}"),
    ]

    times = {"createdAt": stored["createdAt"], "updatedAt": stored["createdAt"]}
    about = {"id": stored["id"], "name": "Poet", "source": "stored", "runtime": "worker", "version": 1}
    assert stored == {**about, **times, "metadata": {"team": "verse"}, "config": ELSEWHERE}
    assert stored["id"].startswith("agt_")
    assert stored == read.json() == same.json()
    assert revised.json()["version"] == 2
    assert revised.json()["config"] == {"runtime": "worker"}
    assert revised.json()["updatedAt"] > stored["updatedAt"]
    assert revised.json() == read_again.json()
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert {(answer.status_code, answer.json()["code"]) for answer in gone} == {(404, "agent-not-found")}


async def test_the_list_has_what_the_server_was_started_with_and_what_is_stored(client: Client) -> None:
    first, second = await defined(client, name="First"), await defined(client, name="Second", metadata={"a": 1})

    listed = (await client.http.get("/agents")).json()
    pages = [(await client.http.get(f"/agents?limit=1&offset={offset}")).json() for offset in range(4)]

    without_config = [{key: value for key, value in one.items() if key != "config"} for one in (first, second)]
    assert listed == [{"id": "demo", "name": "Demo", "source": "code", "runtime": "local"}, *without_config]
    assert listed == [one for page in pages for one in page]
    assert "metadata" not in listed[1]


async def test_an_agent_that_is_not_stored_is_shown_and_cannot_be_changed(sqlite_client: Client) -> None:
    shown = await sqlite_client.http.get("/agents/demo")
    refused = [
        await changed(sqlite_client, "demo", ELSEWHERE),
        await sqlite_client.http.delete("/agents/demo"),
    ]

    assert shown.json() == {"id": "demo", "name": "Demo", "source": "code", "runtime": "local"}
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(409, "agent-not-stored")}


async def test_a_bad_config_is_refused_with_a_pointer_and_stores_nothing(client: Client, server: ServerProcess) -> None:
    stored = await defined(client)
    before = await count_rows(server.database_url, TABLES)

    answers = {
        (what, method): answer.json() | {"status": answer.status_code}
        for what, (config, _, _) in BAD_CONFIGS.items()
        for method, answer in (
            ("POST", await client.http.post("/agents", json={"name": "Poet", "config": config})),
            ("PUT", await changed(client, stored["id"], config)),
        )
    }

    for (what, method), answer in answers.items():
        _, pointer, said = BAD_CONFIGS[what]
        told = (answer["status"], answer["code"], answer.get("pointer"))
        assert (400, "config-refused", pointer) == told, (what, method, answer)
        assert said in answer["detail"]
        assert f"`{dotted(pointer)}`" in answer["detail"]
    assert before == await count_rows(server.database_url, TABLES)
    assert stored == (await client.http.get(f"/agents/{stored['id']}")).json()


def dotted(pointer: str) -> str:
    """Return a pointer as people write it."""
    parts = [part.replace("~1", "/") for part in pointer.split("/")[1:]]
    return "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts).removeprefix(".")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"config": {}}, "invalid-request"),
        ({"name": "Poet"}, "invalid-request"),
        ({"name": 7, "config": ELSEWHERE}, "invalid-request"),
        ({"name": "", "config": ELSEWHERE}, "invalid-request"),
        ({"name": "x" * 201, "config": ELSEWHERE}, "invalid-request"),
        ({"name": "a\x00b", "config": ELSEWHERE}, "invalid-request"),
        ({"name": "Poet", "config": ELSEWHERE, "metadata": []}, "invalid-request"),
        ({"name": "Poet", "config": ELSEWHERE, "metadata": {"a": "x" * (16 << 10)}}, "invalid-request"),
        ({"name": "Poet", "config": ELSEWHERE, "id": "agt_mine"}, "unknown-member"),
    ],
)
async def test_a_body_that_does_not_define_an_agent_is_refused(sqlite_client: Client, body: Json, code: str) -> None:
    answer = await sqlite_client.http.post("/agents", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert len((await sqlite_client.http.get("/agents")).json()) == 1


async def test_an_input_to_an_agent_for_workers_waits_for_one(client: Client) -> None:
    session = await client.session()

    async with Client(client.base, (await defined(client))["id"]) as worker:
        accepted = await worker.accepted(session, "hello")
        run = await worker.run(session, accepted["runtimeRunId"])
        log = await worker.log(session)

    assert (accepted["status"], run["status"]) == ("active", "active")
    assert [event["type"] for event in log] == [
        "BRANCH_CREATED",
        "BRANCH_RUN_STARTED",
        "MESSAGE_STARTED",
        "CONTENT_ADDED",
        "MESSAGE_COMPLETED",
    ]


async def test_what_another_tenant_has_defined_does_not_exist(make_server: MakeServer, database_url: str) -> None:
    theirs = definition()
    async with opened(database_url) as database:
        await database.definitions(TenantId("other"), CIPHER).add(theirs)

    server = make_server(database_url).start()
    async with Client(server.url, theirs.id) as client:
        session = await client.session()
        refused = [
            await client.http.get(f"/agents/{theirs.id}"),
            await changed(client, theirs.id, ELSEWHERE),
            await client.http.delete(f"/agents/{theirs.id}"),
            await client.send(session, "hello"),
            await client.http.get(f"{client.path(session)}/runs"),
        ]
        listed = (await client.http.get("/agents")).json()

    server.terminate()
    async with opened(database_url) as database:
        kept = await database.definitions(TenantId("other"), CIPHER).definition(theirs.id)
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(404, "agent-not-found")}
    assert [agent["id"] for agent in listed] == ["demo"]
    assert theirs == kept


async def test_a_thousand_definitions_are_listed_at_once(make_server: MakeServer, database_url: str) -> None:
    added = [definition(f"Agent {number}", at=NOW + timedelta(seconds=number)) for number in range(MANY)]
    async with opened(database_url) as database:
        await asyncio.gather(*map(database.definitions(LOCAL_TENANT, CIPHER).add, added))

    async with Client(make_server(database_url).start().url) as client:
        listed = (await client.http.get("/agents")).json()
        last = (await client.http.get(f"/agents?limit=10&offset={MANY - 5}")).json()

    ids = [one.id for one in added]
    assert ["demo", *ids] == [one["id"] for one in listed]
    assert [one.name for one in added] == [one["name"] for one in listed[1:]]
    assert ids[-6:] == [one["id"] for one in last]
