"""The servers of this package, and both ways to hold a conversation."""

from collections.abc import Iterator

import pytest

from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess
from tests.interactions.conftest import AGENTS, SETTINGS


@pytest.fixture(scope="package", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that the tests of this package share: each makes sessions of its own."""
    folder = tmp_path_factory.mktemp("socket")
    url = database_for(request, folder)
    # Nothing is folded: tests damage a row of a log.
    with ServerProcess(folder, url, AGENTS, **SETTINGS) as server:
        yield server
        # What a client does is no fault of the server's, and nothing to trouble its operator with.
        assert '"level": "error"' not in server.errors.read_text()


@pytest.fixture(scope="package")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server on SQLite that the tests of this package share, for what does not depend on the store."""
    folder = tmp_path_factory.mktemp("socket-sqlite")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db") as server:
        yield server
        assert '"level": "error"' not in server.errors.read_text()
