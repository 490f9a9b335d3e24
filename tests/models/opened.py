"""A server that lets clients say where models are, and what is asked of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.sqlite import sqlite_database

AGENTS = Path(__file__).parent / "configurable.py"
_FILE = """
systemInstructions = "Be brief."
tools = ["clock"]
[clients.chat]
providerKey = "{provider}"
modelName = "{model}"
endpoint = "{endpoint}"
apiKeyVariable = "CANARY_FILE_KEY"
"""


def open_server(folder: Path, port: int) -> ServerProcess:
    """Start a server whose models are all at one provider; every key that it has begins with CANARY."""
    at = f"http://127.0.0.1:{port}"
    (folder / "agents").mkdir()
    for name, provider, model, path in (
        ("plain", "openai", "local-model", "/v1"),
        ("thinker", "openai-responses", "gpt-5-mini", "/v1"),
        ("claude", "anthropic", "claude-sonnet-4-5", ""),
    ):
        text = _FILE.format(provider=provider, model=model, endpoint=at + path)
        (folder / "agents" / f"{name}.toml").write_text(text)
    settings = {"client_endpoints": "true", "model": "openai:assistant-model", "model_base_url": f"{at}/v1"}
    server = ServerProcess(folder, sqlite_database(folder), str(AGENTS), **settings)
    keys = {
        "FAKE_OPENAI": f"{at}/v1",
        "ANTHROPIC_BASE_URL": at,
        "ANTHROPIC_API_KEY": "CANARY-usual-key",
        "CANARY_FILE_KEY": "CANARY-file-key",
        "CANARY_ADOPTED_KEY": "CANARY-adopted-key",
        "OPENAI_API_KEY": "CANARY-openai-key",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in keys.items():
            environment.setenv(name, value)
        return server.start()


async def send_with(client: Client, agent: str, session: str, config: dict[str, Any]) -> dict[str, Any]:
    """Send an input to an agent, and return the answer with its status."""
    client.agent = agent
    response = await client.http.post(f"{client.path(session)}/inputs", json={"text": "Hello", "runConfig": config})
    return {"status": response.status_code, **response.json()}


async def define(client: Client, model: dict[str, Any], chat: dict[str, Any] | None = None) -> str:
    """Store a definition and return the id of its agent."""
    config = {"clients": {"chat": model}, "chat": chat or {}}
    answer = await client.http.post("/agents", json={"name": "stored", "config": config})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def run_with(client: Client, config: dict[str, Any]) -> dict[str, Any]:
    """Return a run of a session of its own once it has ended, with the `log` of its branch."""
    session = await client.session()
    body = {"text": "Hello", "runConfig": config}
    response = await client.http.post(f"{client.path(session)}/inputs", json=body)
    assert response.status_code == 202, response.text
    run = await client.ended(session, response.json()["runtimeRunId"])
    log = await client.log(session)
    check_log(log)
    return {**run, "log": log}


def said_in(log: list[dict[str, Any]]) -> str:
    """Return the text that a log tells, in one piece."""
    return "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA")
