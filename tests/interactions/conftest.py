"""The servers of this package: one for each kind of database, with agents that ask in every way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import DATABASES
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess

AGENTS = str(Path(__file__).parent / "asking_agents.py")

SETTINGS = {"sweep_seconds": 0.1, "lease_seconds": 60}
"""Deadlines are looked at soon; a lease outlasts whatever else the machine has to do, so no run begins again."""


@pytest.fixture(scope="package", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that the tests of this package share: each makes sessions of its own."""
    folder = tmp_path_factory.mktemp("asking")
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{folder}/test.db"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        url = cluster.create_database()
    with ServerProcess(folder, url, AGENTS, **SETTINGS) as server:
        yield server
