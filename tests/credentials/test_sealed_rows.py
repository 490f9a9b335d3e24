"""What is secret in runs and in stored definitions lies sealed in the database, for its own row only."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hosting.adapters.files.key_file import add_key, ensure_key_file
from tests.definitions.theatre import Theatre
from tests.harness.client import Client
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Hold, Text
from tests.harness.raw_store import RawStore
from tests.harness.worker import FleetWorker, define_worker_agent

MakeServer = Callable[..., ServerProcess]
Json = dict[str, Any]

SPEC: Json = {"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": "a"}}}}
SERVICE: Json = {
    "name": "pets",
    "baseUrl": "http://127.0.0.1:1",
    "spec": SPEC,
    "headers": {"X-Key": "CANARY-of-service"},
}
SERVER: Json = {
    "name": "shop",
    "url": "http://127.0.0.1:1/mcp?key=CANARY-of-url",
    "headers": {"Authorization": "CANARY-of-server"},
    "startTimeoutSeconds": 1,
}
TOOLS: Json = {"mcpServers": [SERVER], "openApi": [SERVICE]}
SECRET: Json = {"apiKey": "CANARY-run-key", "customHeaders": {"x-custom": "CANARY-header"}}


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    """A provider that says `Yes.` when nothing else is scripted."""
    async with FakeProvider() as provider:
        provider.otherwise = lambda request: (Text("Yes."),)
        yield provider


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The file of the server's keys."""
    ensure_key_file(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def server(make_server: MakeServer, database_url: str, key_file: Path) -> ServerProcess:
    """A server that takes endpoints from clients."""
    return make_server(database_url, client_endpoints="true", key_file=key_file).start()


@pytest.fixture
async def theatre(server: ServerProcess, provider: FakeProvider) -> AsyncIterator[Theatre]:
    """A client and a provider."""
    async with Client(server.url) as client:
        yield Theatre(client, provider)


@pytest.fixture
def store(server: ServerProcess) -> RawStore:
    """The database behind the server's back."""
    return RawStore(server.database_url)


async def configs(store: RawStore) -> dict[tuple[str, int], bytes]:
    """Return the configs of all versions of all definitions, as they are stored."""
    found = await store.run("SELECT agent_id, version, config FROM agent_versions")
    return {(agent, version): bytes(config) for agent, version, config in found}


async def put_config(store: RawStore, agent_id: str, config: bytes) -> None:
    """Write a config past the server."""
    await store.run("UPDATE agent_versions SET config = ? WHERE agent_id = ?", config, agent_id)


def keep_newest(key_file: Path) -> None:
    """Delete all keys but the newest."""
    newest = key_file.read_text("utf-8").splitlines()[-1]
    key_file.write_text(f"{newest}\n", "utf-8")


async def test_a_run_uses_what_lies_sealed_in_its_row_and_in_its_definition(theatre: Theatre, store: RawStore) -> None:
    client = theatre.client
    theatre.provider.answers(Text("Let me "), Hold())
    agent_id = await theatre.define("Act.", **TOOLS)
    session = await client.session()

    body = {"text": "Hello", "runConfig": {**SECRET, "chat": {"maxOutputTokens": 9876}}}
    accepted = await client.http.post(f"{client.path(session)}/inputs", json=body)

    assert accepted.status_code == 202, accepted.text
    asked = await theatre.provider.request(0)
    assert (asked.headers["authorization"], asked.headers["x-custom"]) == ("Bearer CANARY-run-key", "CANARY-header")
    ((run,),) = await store.run("SELECT config FROM runs")
    assert (bytes(run).count(b"@sealed"), b"CANARY" in bytes(run), b"9876" in bytes(run)) == (2, False, True)
    defined = (await configs(store))[agent_id, 1]
    assert (defined.count(b"@sealed"), b"CANARY" in defined) == (3, False)
    shown = (await client.http.get(f"/agents/{agent_id}")).json()["config"]
    assert shown["mcpServers"][0]["url"] == "http://127.0.0.1:1/mcp?key=***"
    assert shown["openApi"][0]["headers"] == {"X-Key": "***"}


async def test_what_was_sealed_for_one_definition_opens_nothing_in_another(theatre: Theatre, store: RawStore) -> None:
    client = theatre.client
    first = await theatre.define("Act.", **TOOLS)
    second = await theatre.define("Act.", openApi=[SERVICE])
    await put_config(store, second, (await configs(store))[first, 1])

    session = await client.session()
    run = await client.ended(session, (await client.accepted(session, "Go"))["runtimeRunId"])

    assert (run["status"], run["error"]["type"]) == ("failed", "ConfigRefused")
    assert "cannot be opened" in run["error"]["message"]
    assert theatre.provider.requests == []
    assert (await client.http.get(f"/agents/{second}")).json()["config"]["mcpServers"][0]["url"] == "***"


async def test_what_was_sealed_for_one_run_opens_nothing_in_another(theatre: Theatre, store: RawStore) -> None:
    client = theatre.client
    theatre.provider.answers(Text("Let me "), held := Hold())
    await theatre.define("Act.")
    session = await client.session()
    path = f"{client.path(session)}/inputs"
    await client.http.post(path, json={"text": "a", "runConfig": SECRET})
    await theatre.provider.request(0)
    waiting = {"text": "b", "runConfig": SECRET, "runningRunBehavior": "queue"}
    queued = (await client.http.post(path, json=waiting)).json()["runtimeRunId"]
    ((of_first,),) = await store.run("SELECT config FROM runs WHERE status = 'active'")
    await store.run("UPDATE runs SET config = ? WHERE id = ?", of_first, queued)

    held.until.set()
    run = await theatre.ended(session, queued)

    assert (run["status"], run["error"]["type"]) == ("failed", "SealBroken")
    assert len(theatre.provider.requests) == 1


async def test_a_plain_definition_of_before_works_and_is_sealed_when_it_is_written_again(
    theatre: Theatre, store: RawStore
) -> None:
    client = theatre.client
    agent_id = await theatre.define("Act.", openApi=[SERVICE])
    sealed = (await configs(store))[agent_id, 1]
    begin = sealed.index(b'{"@sealed"')
    plain = sealed[:begin] + b'"CANARY-of-service"' + sealed[sealed.index(b"}", begin) + 1 :]
    await put_config(store, agent_id, plain)

    session = await client.session()
    run = await client.ended(session, (await client.accepted(session, "Go"))["runtimeRunId"])
    revised = await theatre.revise("Act.", openApi=[SERVICE])

    assert (run["status"], revised["version"]) == ("completed", 1)
    after = (await configs(store))[agent_id, 1]
    assert (after.count(b"@sealed"), b"CANARY" in after) == (1, False)


async def test_older_keys_open_what_they_sealed_and_a_key_that_is_gone_ends_the_run_with_a_word(
    theatre: Theatre, key_file: Path
) -> None:
    client = theatre.client
    first, second = [await theatre.define("Act.", openApi=[SERVICE]) for _ in range(2)]
    add_key(key_file)

    client.agent = first
    before = await client.ended(
        session := await client.session(), (await client.accepted(session, "Go"))["runtimeRunId"]
    )
    keep_newest(key_file)
    client.agent = second
    after = await client.ended(
        session := await client.session(), (await client.accepted(session, "Go"))["runtimeRunId"]
    )

    assert (before["status"], after["status"], after["error"]["type"]) == ("completed", "failed", "ConfigRefused")
    assert "is not in the key file any more" in after["error"]["message"]
    assert (await theatre.revise("Act.", openApi=[SERVICE]))["version"] == 2


async def test_what_was_sealed_anew_needs_the_older_key_no_more(
    theatre: Theatre, store: RawStore, key_file: Path
) -> None:
    client = theatre.client
    theatre.provider.answers(Text("Let me "), held := Hold())
    await theatre.define("Act.", openApi=[SERVICE])
    session = await client.session()
    path = f"{client.path(session)}/inputs"
    await client.http.post(path, json={"text": "a", "runConfig": SECRET})
    await theatre.provider.request(0)
    waiting = {"text": "b", "runConfig": SECRET, "runningRunBehavior": "queue"}
    queued = (await client.http.post(path, json=waiting)).json()["runtimeRunId"]
    added = add_key(key_file)

    rekeyed = await client.http.post("/credentials/rekey")
    keep_newest(key_file)
    again = await client.http.post("/credentials/rekey")
    held.until.set()
    run = await theatre.ended(session, queued)

    assert rekeyed.json() == {"keyId": added, "rekeyed": 3, "unreadable": 0}
    assert again.json() == {"keyId": added, "rekeyed": 0, "unreadable": 0}
    assert run["status"] == "completed"
    assert theatre.provider.requests[1].headers["authorization"] == "Bearer CANARY-run-key"
    assert all(b"CANARY" not in config for config in (await configs(store)).values())


async def test_postgresql_without_a_key_file_takes_nothing_that_is_secret(
    make_server: MakeServer, postgres: PostgresCluster, provider: FakeProvider
) -> None:
    server = make_server(await postgres.create_database_async(), client_endpoints="true").start()
    async with Client(server.url) as client:
        theatre = Theatre(client, provider)
        agent_id = await theatre.define("Act.", mcpServers=[{"name": "shop", "url": "http://127.0.0.1:1/mcp"}])
        session = await client.session()
        config = theatre.config("Act.", **TOOLS)

        answers = [
            await client.http.post("/agents", json={"name": "Actor", "config": config}),
            await client.http.put(f"/agents/{agent_id}", json={"config": config}),
            await client.http.post(f"{client.path(session)}/inputs", json={"text": "Go", "runConfig": SECRET}),
        ]
        run = await client.ended(session, (await client.accepted(session, "Go"))["runtimeRunId"])

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "no-sealing-key")] * 3
    assert all("BRANCHLINE_KEY_FILE" in answer.json()["detail"] for answer in answers)
    assert run["status"] == "completed"


async def test_the_worker_that_has_a_run_gets_its_secrets_and_nobody_else_does(
    server: ServerProcess, store: RawStore
) -> None:
    async with Client(server.url) as client:
        client.agent = await define_worker_agent(client.http, "helper")
        session = await client.session()
        path = f"{client.path(session)}/inputs"
        accepted = (await client.http.post(path, json={"text": "Go", "runConfig": SECRET})).json()
        worker = await FleetWorker.register(client.http, agentIds=[client.agent])
        polled = await worker.claimed()
        run = await worker.told(polled["sessionId"], "take")

        assert run["config"] == SECRET
        assert "CANARY" not in str(polled) + str(accepted)
        ((stored,),) = await store.run("SELECT config FROM runs")
        assert (bytes(stored).count(b"@sealed"), b"CANARY" in bytes(stored)) == (2, False)
