"""The servers of this package: one for each kind of database, for all its tests that need no other."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest

from hosting.adapters.sql.database import Database
from tests.harness.client import Client
from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess
from tests.store.units import opened

AGENTS: Final = str(Path(__file__).with_name("reading_agents.py"))
LARGEST: Final = 12 << 20
OF_SESSION: Final = 10 << 20
IDLE_SECONDS: Final = 1.5


@pytest.fixture(scope="package", params=DATABASES)
def content_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server with little room and little patience, that the tests of this package share."""
    folder = tmp_path_factory.mktemp("content")
    limits = {"upload_bytes": LARGEST, "session_content_bytes": OF_SESSION, "body_idle_seconds": IDLE_SECONDS}
    with ServerProcess(folder, database_for(request, folder), AGENTS, sweep_seconds=0.2, **limits) as server:
        yield server


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, empty database of each kind."""
    async with opened(database_url) as database:
        yield database


@pytest.fixture
async def content_client(content_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of it."""
    async with Client(content_server.url) as client:
        yield client
