"""One server for many tests: each test makes sessions of its own, and a start costs more than a test."""

from collections.abc import Iterator

import pytest

from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess


def lasting_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server on an empty database of the kind that the fixture's parameter names."""
    folder = tmp_path_factory.mktemp("lasting")
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{folder}/test.db"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        url = cluster.create_database()
    with ServerProcess(folder, url) as server:
        yield server
