"""The servers of this package: one for each kind of database, with agents that ask in every way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess

AGENTS = str(Path(__file__).parent / "asking_agents.py")

SETTINGS = {"sweep_seconds": 0.1, "lease_seconds": 60, "fold_seconds": 3600}
"""Deadlines are looked at soon; a lease outlasts whatever else the machine has to do, so no run begins again."""


@pytest.fixture(scope="package", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that the tests of this package share: each makes sessions of its own."""
    folder = tmp_path_factory.mktemp("asking")
    url = database_for(request, folder)
    with ServerProcess(folder, url, AGENTS, **SETTINGS) as server:
        yield server
