"""Servers that the tests of this package share: each test has tenants, keys and sessions of its own."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from hosting.adapters.files.key_file import ensure_key_file
from tests.edge.documented import Documented
from tests.harness.databases import DATABASES
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.identity.office import SHARED_KEY, Office

UNFOLDED = {"fold_seconds": 3600}
"""So that only what a request does changes what is stored."""


@pytest.fixture(scope="package", params=DATABASES)
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A running server on a database of each kind."""
    folder = tmp_path_factory.mktemp("identity")
    if request.param == "sqlite":
        with ServerProcess(
            folder, f"sqlite+aiosqlite:///{folder}/test.db", worker_api_key=SHARED_KEY, **UNFOLDED
        ) as server:
            yield Office(server, folder / "test.db.keys")
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    ensure_key_file(folder / "keys")
    with ServerProcess(
        folder, cluster.create_database(), worker_api_key=SHARED_KEY, key_file=folder / "keys", **UNFOLDED
    ) as server:
        yield Office(server, folder / "keys")


@pytest.fixture(scope="package")
def sqlite_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A running server on SQLite, for what does not depend on the store."""
    folder = tmp_path_factory.mktemp("identity-sqlite")
    with ServerProcess(
        folder, f"sqlite+aiosqlite:///{folder}/test.db", worker_api_key=SHARED_KEY, **UNFOLDED
    ) as server:
        yield Office(server, folder / "test.db.keys")


@pytest.fixture
async def documented(sqlite_office: Office) -> Documented:
    """Whatever answers are held against."""
    async with sqlite_office.client() as client:
        return Documented((await client.get("/openapi.json")).json())


@pytest.fixture
async def anyone(sqlite_office: Office, documented: Documented) -> AsyncIterator[httpx.AsyncClient]:
    """A client that shows nothing by itself; its answers are held against the API's description."""
    async with sqlite_office.client() as client:
        client.event_hooks["response"].append(documented)
        yield client
