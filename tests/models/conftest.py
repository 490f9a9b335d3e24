"""A server with agents on every wire, and the provider that they ask: one server for all files."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.harness.client import Client
from tests.harness.ports import kept_port
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.sqlite import sqlite_database
from tests.models.opened import open_server

WIRED = Path(__file__).parent / "wired.py"


@pytest.fixture(scope="session")
def provider_port() -> Iterator[int]:
    """A port where each test's own provider listens, one after the other."""
    with kept_port() as own:
        yield own


@pytest.fixture(scope="session")
def wired_server(tmp_path_factory: pytest.TempPathFactory, provider_port: int) -> Iterator[ServerProcess]:
    """A running server with the agents of wired.py, on SQLite."""
    folder = tmp_path_factory.mktemp("wired")
    (folder / "provider.txt").write_text(f"http://127.0.0.1:{provider_port}")
    with ServerProcess(folder, sqlite_database(folder), str(WIRED)) as server:
        yield server


@pytest.fixture
async def provider(provider_port: int) -> AsyncIterator[FakeProvider]:
    """The provider that the agents of wired.py ask."""
    async with FakeProvider(provider_port) as provider:
        yield provider


@pytest.fixture(params=["chat", "responses", "anthropic"])
async def wired(request: pytest.FixtureRequest, wired_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the agent on one wire; a test that takes this runs on all three."""
    async with Client(wired_server.url, request.param) as client:
        yield client


@pytest.fixture
async def chat(wired_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the agent on OpenAI's chat completions, for what does not depend on the wire."""
    async with Client(wired_server.url, "chat") as client:
        yield client


@pytest.fixture(scope="session")
def opened_server(tmp_path_factory: pytest.TempPathFactory, provider_port: int) -> Iterator[ServerProcess]:
    """A running server that lets clients say where models are; its own are at the provider."""
    server = open_server(tmp_path_factory.mktemp("opened"), provider_port)
    yield server
    server.__exit__()


@pytest.fixture
async def open_client(opened_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of that server."""
    async with Client(opened_server.url) as client:
        yield client
