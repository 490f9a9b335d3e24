"""A server whose agents work for several tenants with keys of their own, and what is asked of it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hosting.domain.identity import Role
from tests.credentials import keyed_agents
from tests.credentials.safe import Keeper, Safe
from tests.fleet.gate import bearer
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

Json = dict[str, Any]
AGENTS = str(Path(keyed_agents.__file__))
SERVERS_OWN = "CANARY-of-the-server"
SETTINGS = {"client_endpoints": "true", "model": "openai:of-settings", "sweep_seconds": 0.1}
_FILE = '[clients.chat]\nproviderKey = "openai"\nmodelName = "of-file"\n'


def start_server(folder: Path, database_url: str, provider_port: int, **settings: object) -> ServerProcess:
    """Start a server whose provider is at a port, with keys of its own that all begin with CANARY."""
    (folder / "agents").mkdir()
    (folder / "agents" / "filed.toml").write_text(_FILE)
    server = ServerProcess(folder, database_url, AGENTS, **{**SETTINGS, **settings})
    with keys_of_its_own(provider_port):
        return server.start()


@contextmanager
def keys_of_its_own(provider_port: int) -> Iterator[None]:
    """Give whatever is started the environment of that server."""
    at = f"http://127.0.0.1:{provider_port}"
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.endswith("_API_KEY")]:
            environment.delenv(name)
        for name, value in {
            "OPENAI_BASE_URL": f"{at}/v1",
            "OPENAI_API_KEY": SERVERS_OWN,
            "OPENAI_ORG_ID": "CANARY-organization",
            "ANTHROPIC_BASE_URL": at,
            "ANTHROPIC_AUTH_TOKEN": "CANARY-token",
        }.items():
            environment.setenv(name, value)
        yield


@dataclass(frozen=True)
class Agency(Safe):
    """That server, and the port where its models are."""

    provider_port: int

    def kill_and_start(self) -> None:
        """`kill -9`, and start the server again where it was, at another address."""
        self.server.kill()
        with keys_of_its_own(self.provider_port):
            self.server.start()

    @asynccontextmanager
    async def of(self, tenant: str) -> AsyncIterator["Principal"]:
        """Return the hands of a tenant's operator, who also uses its agents."""
        async with Client(self.server.url) as client:
            client.http.headers.update(bearer(await self.key(tenant, Role.OPERATOR)))
            yield Principal(client)


@dataclass(frozen=True)
class Principal:
    """Somebody who sets credentials, and uses agents."""

    client: Client

    @property
    def keeper(self) -> Keeper:
        """The hands on credentials."""
        return Keeper(self.client.http)

    async def define(self, chat: Json, **config: Any) -> Json:
        """Define an agent with a model, and return the answer with its status."""
        said = {"name": "keyed", "config": {"clients": {"chat": chat}, **config}}
        answer = await self.client.http.post("/agents", json=said)
        return {"status": answer.status_code, **answer.json()}

    async def defined(self, chat: Json, **config: Any) -> str:
        """Define an agent with a model, which must succeed, and return its id."""
        answer = await self.define(chat, **config)
        assert answer["status"] == 201, answer
        return str(answer["id"])

    async def run(
        self, agent: str, text: str = "Hello", *, session: str | None = None, config: Json | None = None
    ) -> Json:
        """Send a text to an agent, in a session of its own if none is said, and return its run once it has ended.

        Its `said` is the text that was told.
        """
        session = session or await self.client.session()
        path = f"/agents/{agent}/sessions/{session}/branches/main/inputs"
        accepted = await self.client.http.post(path, json={"text": text, "runConfig": config or {}})
        assert accepted.status_code == 202, accepted.text
        run = await self.client.ended(session, accepted.json()["runtimeRunId"])
        log = await self.client.log(session)
        check_log(log)
        own = [event for event in log if event["type"] == "TEXT_DELTA"]
        return {**run, "session": session, "log": log, "said": "".join(event["text"] for event in own)}


def failure(run: Json) -> tuple[str, str]:
    """Return how a run has failed: the type, and what was told."""
    (told,) = [event for event in run["log"] if event["type"] == "MESSAGE_TURN_ERROR"]
    assert run["status"] == "failed"
    return told["errorType"], told["message"]
