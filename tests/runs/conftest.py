"""The servers of this package: one for each kind of database, for all its tests."""

from collections.abc import Iterator

import pytest

from tests.harness.databases import DATABASES
from tests.harness.process import ServerProcess
from tests.runs.lasting_server import lasting_server


@pytest.fixture(scope="package", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that the tests of this package share."""
    yield from lasting_server(request, tmp_path_factory)
