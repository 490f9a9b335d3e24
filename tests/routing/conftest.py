"""Servers that tell workers which provider to take; each test has tenants of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from hosting.adapters.files.key_file import ensure_key_file
from hosting.adapters.sql.database import Database
from tests.fleet.gate import Gate
from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess
from tests.routing.claimed import Claims
from tests.store.units import opened

ROUTED_AGENTS = str(Path(__file__).parent / "routed_agents.py")
SHARED_KEY = "rsp_live_the_key_that_older_workers_share"


@pytest.fixture(scope="package", params=DATABASES)
def gate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A running server on a database of each kind, whose selector is on."""
    folder = tmp_path_factory.mktemp("routing")
    database_url = database_for(request, folder)
    ensure_key_file(folder / "keys")
    settings = {"key_file": folder / "keys", "worker_api_key": SHARED_KEY, "sweep_seconds": 0.1}
    with ServerProcess(folder, database_url, routing_selector_enabled="true", **settings) as server:
        yield Gate(server, folder / "keys")


@pytest.fixture(scope="package", params=DATABASES)
def routing_agents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server of the agents of routed_agents.py, on a database of each kind, whose selector is on."""
    folder = tmp_path_factory.mktemp("routing-agents")
    database_url = database_for(request, folder)
    ensure_key_file(folder / "keys")
    settings = {"key_file": folder / "keys", "routing_selector_enabled": "true"}
    with ServerProcess(folder, database_url, ROUTED_AGENTS, **settings) as server:
        yield server


@pytest.fixture
async def http(gate: Gate) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that server that shows nothing by itself."""
    async with gate.client() as client:
        yield client


@pytest.fixture
async def claimed(gate: Gate, http: httpx.AsyncClient) -> AsyncIterator[Claims]:
    """What makes sessions that workers have."""
    async with AsyncExitStack() as stack:
        yield Claims(gate, http, stack)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, empty database of each kind."""
    async with opened(database_url) as database:
        yield database
