"""Servers that sign the tokens of workers, also on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from hosting.adapters.files.key_file import ensure_key_file
from tests.fleet.gate import Gate
from tests.fleet.own import Site
from tests.harness.client import Client
from tests.harness.databases import DATABASES, database_for
from tests.harness.ports import kept_port
from tests.harness.process import ServerProcess

SHARED_KEY = "rsp_live_the_key_that_older_workers_share"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file of signing keys, as an operator makes it."""
    path = tmp_path / "keys"
    path.write_text("first " + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE" + "\n", "utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
async def server(gate: Gate) -> AsyncIterator[ServerProcess]:
    """The running server on a database of each kind, with nothing in it of other tests, and nothing of this one after.

    For tests that look at whatever a tenant has; one that kills it and starts it again leaves it as it found it.
    """
    await gate.clear()
    yield gate.server
    await gate.clear()


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the running server."""
    async with Client(server.url) as client:
        yield client


@pytest.fixture(scope="package", params=DATABASES)
def gate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A running server on a database of each kind, that tests share: each has workers of its own."""
    folder = tmp_path_factory.mktemp("gate")
    database_url = database_for(request, folder)
    ensure_key_file(folder / "keys")
    # Nothing is folded: tests write something else into the rows of a log.
    settings = {"key_file": folder / "keys", "worker_api_key": SHARED_KEY, "sweep_seconds": 0.2, "fold_seconds": 3600}
    with ServerProcess(folder, database_url, **settings) as server:
        yield Gate(server, folder / "keys")


@pytest.fixture
async def local(gate: Gate) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that server that shows nothing by itself."""
    async with gate.client() as client:
        yield client


@pytest.fixture(scope="module", params=DATABASES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server on a database of each kind, which can be started again where it was, without workers.

    How long their leases are, the module's LEASE_SECONDS says.
    """
    folder = tmp_path_factory.mktemp("site")
    database_url = database_for(request, folder)
    ensure_key_file(folder / "keys")
    lease_seconds = getattr(request.module, "LEASE_SECONDS", 60.0)
    settings = {"key_file": folder / "keys", "sweep_seconds": 0.2, "worker_lease_seconds": lease_seconds}
    with kept_port() as port:
        site = Site(ServerProcess(folder, database_url, port=port, **settings).start(), folder)
        yield site
        site.close()


@pytest.fixture
async def reader(site: Site) -> AsyncIterator[Client]:
    """A client of that server."""
    async with site.client() as client:
        yield client
