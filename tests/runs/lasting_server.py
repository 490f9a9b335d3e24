"""One server for many tests: each test makes sessions of its own, and a start costs more than a test."""

from collections.abc import Iterator

import pytest

from tests.harness.databases import database_for
from tests.harness.process import ServerProcess


def lasting_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server on an empty database of the kind that the fixture's parameter names."""
    folder = tmp_path_factory.mktemp("lasting")
    url = database_for(request, folder)
    # Nothing is folded: tests look at what was committed together, and damage a row of it.
    with ServerProcess(folder, url, fold_seconds=3600) as server:
        yield server
