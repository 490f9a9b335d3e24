"""Servers that sign the tokens of workers, also on PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.harness.client import Client
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
def server(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> ServerProcess:
    """A running server on a database of each kind, with short leases."""
    return make_server(database_url, key_file=key_file, worker_api_key=SHARED_KEY, sweep_seconds=0.1).start()


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the running server."""
    async with Client(server.url) as client:
        yield client
