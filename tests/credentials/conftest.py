"""Servers that the tests of this package share: each test has a tenant of its own."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from tests.credentials.agency import Agency, start_server
from tests.credentials.safe import Safe
from tests.harness.databases import DATABASES, database_for
from tests.harness.ports import kept_port
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Text


@pytest.fixture(scope="package", params=DATABASES)
def safe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    """A running server on a database of each kind, which looks often at who follows."""
    folder = tmp_path_factory.mktemp("safe")
    database_url = database_for(request, folder)
    ensure_key_file(folder / "keys")
    settings = {"key_file": folder / "keys", "heartbeat_seconds": 0.3, "sweep_seconds": 0.1, "worker_api_key": "old"}
    with ServerProcess(folder, database_url, **settings) as server:
        yield Safe(server, folder / "keys")


@pytest.fixture(scope="package", params=DATABASES)
def agency(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    """A running server with agents that use credentials, on a database of each kind."""
    folder = tmp_path_factory.mktemp("agency")
    database_url = database_for(request, folder)
    ensure_key_file(folder / "keys")
    with kept_port() as port:
        server = start_server(folder, database_url, port, key_file=folder / "keys")
        yield Agency(server, folder / "keys", port)
        server.__exit__()


@pytest.fixture
async def provider(agency: Agency) -> AsyncIterator[FakeProvider]:
    """The provider of its models, who says yes to everything."""
    async with FakeProvider(agency.provider_port) as provider:
        provider.otherwise = lambda request: (Text("Yes."),)
        yield provider


@pytest.fixture
def tenant() -> str:
    """A tenant that nobody has heard of."""
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def postgres_url(postgres: PostgresCluster) -> str:
    """A database that several servers can be on."""
    return postgres.create_database()
