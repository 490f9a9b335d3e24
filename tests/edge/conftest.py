"""Fixtures of the edge: servers that its tests share, and clients whose answers are held against the API's description.

One server for many tests is safe here: none of them ends it, and each makes a session of its own.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.edge.documented import Documented
from tests.harness.client import Client
from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess


@pytest.fixture(scope="package", params=DATABASES)
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of each kind, for all tests of the edge."""
    return database_for(request, tmp_path_factory.mktemp("edge"))


@pytest.fixture(scope="package")
def shared_server(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server on a database of each kind."""
    with ServerProcess(tmp_path_factory.mktemp("server"), shared_url, fold_seconds=3600) as server:
        yield server


@pytest.fixture(scope="package")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server on SQLite, for what does not depend on the store."""
    folder: Path = tmp_path_factory.mktemp("plain")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db") as server:
        yield server


@pytest.fixture
async def edge(shared_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of a server on a database of each kind; the test fails when the server logs an error."""
    async with _watched(shared_server) as client:
        yield client


@pytest.fixture
async def plain_edge(plain_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the server on SQLite; the test fails when the server logs an error."""
    async with _watched(plain_server) as client:
        yield client


@asynccontextmanager
async def _watched(server: ServerProcess) -> AsyncIterator[Client]:
    logged_before = len(server.errors.read_text())
    async with Client(server.url) as client:
        document = (await client.http.get("/openapi.json")).json()
        client.http.event_hooks["response"].append(Documented(document))
        yield client
    logged = server.errors.read_text()[logged_before:]
    assert [line for line in logged.splitlines() if '"level": "info"' not in line] == []
