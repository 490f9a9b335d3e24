"""The servers of this package: one for each kind of database, for all its tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore

AGENTS: Final = str(Path(__file__).with_name("tree_agents.py"))


@pytest.fixture(scope="package", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server, with agents of this package, that its tests share."""
    folder = tmp_path_factory.mktemp("tree")
    url = database_for(request, folder)
    with ServerProcess(folder, url, AGENTS, sweep_seconds=0.2, fold_seconds=3600) as server:
        yield server


@pytest.fixture
def store(server: ServerProcess) -> RawStore:
    """The database behind the server's back."""
    return RawStore(server.database_url)
