"""The agent `assistant`, which a setting makes; and what a server takes from clients unless its operator says more."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hosting import Settings, create_app
from hosting.adapters.files.key_file import ensure_key_file
from hosting.adapters.models.choice import ModelChoice
from hosting.adapters.models.providers import Providers
from hosting.settings import SettingsRefused
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Hold, Text

SECRETS = {
    "apiKey": "CANARY-run-key",
    "providerEndpoint": "http://127.0.0.1:9/v1",
    "customHeaders": {"x-custom": "CANARY-header"},
}


async def test_a_model_and_a_key_are_an_agent_at_once(
    make_server: Callable[..., ServerProcess],
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    provider: FakeProvider,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "CANARY-usual-key")
    provider.answers(Text("At your "), Text("service."))
    settings = {"model": "openai:gpt-5-mini", "model_base_url": provider.openai, "model_instructions": "Serve."}
    server = make_server(sqlite_url, **settings).start()

    async with Client(server.url, "assistant") as client:
        session = await client.session()
        accepted = await client.accepted(session, "Hello")
        run = await client.ended(session, accepted["runtimeRunId"])
        said = [event["text"] for event in await client.log(session) if event["type"] == "TEXT_DELTA"]
        refused = {
            member: await client.http.post(
                f"{client.path(session)}/inputs", json={"text": "Hello", "runConfig": {member: value}}
            )
            for member, value in SECRETS.items()
        }
        chat = {"providerKey": "openai", "modelName": "m", "endpoint": provider.openai}
        stored = await client.http.post("/agents", json={"name": "elsewhere", "config": {"clients": {"chat": chat}}})

    asked = await provider.request(0)
    assert (run["status"], said) == ("completed", ["At your ", "service."])
    assert (asked.body["model"], asked.headers["authorization"]) == ("gpt-5-mini", "Bearer CANARY-usual-key")
    assert asked.messages()[0]["content"] == "Serve."
    assert {member: answer.json()["code"] for member, answer in refused.items()} == dict.fromkeys(
        SECRETS, "run-config-refused"
    )
    assert all(member in answer.json()["detail"] for member, answer in refused.items())
    assert (stored.status_code, stored.json()["code"]) == (400, "config-refused")
    assert "/clients/chat/endpoint" in stored.text
    server.terminate()
    assert _files_that_hold(b"CANARY", tmp_path) == []


async def test_a_run_that_begins_again_is_done_as_its_input_said(
    make_server: Callable[..., ServerProcess],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    provider: FakeProvider,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "CANARY-usual-key")
    provider.answers(Text("Let me "), Hold())
    provider.answers(Text("Done."))
    ensure_key_file(tmp_path / "keys")
    settings = {"model": "openai:local", "model_base_url": provider.openai, "client_endpoints": "true"}
    server = make_server(database_url, key_file=tmp_path / "keys", **settings)
    config = {
        "chat": {"temperature": 0.25, "modelId": "other"},
        "systemInstructions": "Be brief.",
        "apiKey": "CANARY-run-key",
    }
    async with Client(server.start().url, "assistant") as client:
        session = await client.session()
        body = {"text": "Hello", "runConfig": config}
        accepted = (await client.http.post(f"{client.path(session)}/inputs", json=body)).json()
        await provider.request(0)
    server.kill()

    async with Client(server.start().url, "assistant") as client:
        run = await client.ended(session, accepted["runtimeRunId"])

    first, second = await provider.request(0), await provider.request(1)
    assert run["status"] == "completed"
    assert (second.body["model"], second.body["temperature"]) == ("other", 0.25)
    assert second.headers["authorization"] == "Bearer CANARY-run-key"
    assert second.messages() == first.messages()
    assert await _configs(database_url) == [b"{}"]


async def _configs(database_url: str) -> list[bytes]:
    """Return how the runs in a database are to be done, as it is kept."""
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        kept = [bytes(config) for (config,) in await connection.execute(text("SELECT config FROM runs"))]
    await engine.dispose()
    return kept


def _files_that_hold(key: bytes, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and key in path.read_bytes()]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("openai:gpt-5-mini", "The provider openai needs OPENAI_API_KEY in the server's environment."),
        ("opnai:gpt-5-mini", "There is no provider 'opnai'. Perhaps openai is meant."),
        ("gpt-5-mini", "A model is written as provider:model"),
    ],
)
def test_a_model_that_cannot_be_is_refused_in_one_sentence(
    make_server: Callable[..., ServerProcess],
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    says: str,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    status, said = make_server(sqlite_url, model=model).refuse()

    assert status == 1
    assert says in said
    assert "Traceback" not in said


def test_an_empty_key_is_told_like_one_that_is_not_set(
    make_server: Callable[..., ServerProcess], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")

    status, said = make_server(sqlite_url, model="openai:gpt-5-mini").refuse()

    assert status == 1
    assert "The provider openai needs OPENAI_API_KEY in the server's environment." in said


def test_a_compatible_server_needs_no_key_also_when_there_is_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")

    model = Providers().model(ModelChoice.parse("openai:local", "http://127.0.0.1:9/v1"))

    assert model.model_name == "local"


@pytest.mark.parametrize("setting", ["model_base_url", "model_instructions"])
def test_what_is_said_of_a_model_that_is_not_there_is_refused(setting: str) -> None:
    with pytest.raises(SettingsRefused, match=f"The setting {setting} is for a model, and there is none"):
        create_app(settings=Settings(**{setting: "http://127.0.0.1:9/v1"}))


def test_without_the_extra_a_model_is_refused_with_how_to_install_it(tmp_path: Path) -> None:
    # As it is for whoever has not installed the extra: no module of that name can be found.
    hidden = "import sys; sys.modules['pydantic_ai'] = None; from hosting.cli.main import main; main()"
    environment = {**os.environ, "BRANCHLINE_MODEL": "openai:gpt-5-mini", "BRANCHLINE_PORT": "0"}

    done = subprocess.run(
        [sys.executable, "-c", hidden, "serve"],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert "pip install 'branchline[models]'" in done.stderr
    assert "Traceback" not in done.stderr
