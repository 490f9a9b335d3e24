"""Fixtures: databases of both kinds, and real servers on them."""

import asyncio
import gc
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from tests.harness.client import Client
from tests.harness.databases import DATABASES, database_for
from tests.harness.ports import kept_port
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.sqlite import sqlite_database
from tests.harness.warm_python import WARM_PYTHON

# How long an example takes depends on what else the machine has to do, and says nothing about the code.
settings.register_profile("branchline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("branchline")


# Nothing that collecting tests makes is garbage before the end, and looking for it takes as long as all the rest does.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again, but not among what was there before the tests."""
    gc.freeze()
    gc.enable()


def pytest_configure() -> None:
    """End in order when told to: a run that is cut off, as `timeout` does it, leaves no servers and no PostgreSQL."""

    def end(number: int, frame: FrameType | None) -> None:
        # `timeout` says it twice, and the second time would cut off the ending.
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


@pytest.fixture(scope="session", autouse=True)
def warm_python() -> Iterator[None]:
    """End what servers and commands were started from."""
    yield
    WARM_PYTHON.end()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """The cluster of this process, in a folder of its own: as root it belongs to another user.

    Each worker has one: it costs a second, and what a test does to a whole cluster reaches no other worker's tests.
    """
    with tempfile.TemporaryDirectory(prefix="branchline-postgres-") as folder:
        cluster = PostgresCluster(Path(folder) / "data")
        yield cluster
        cluster.stop()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that has its tables and no row; a test that takes this runs on SQLite and on PostgreSQL."""
    return database_for(request, tmp_path)


@pytest.fixture(params=DATABASES)
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that a server has yet to make its tables in."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/bare.db"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return cluster.url(asyncio.run(cluster.create_bare_database()))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database that has its tables and no row, for what does not depend on the store."""
    return sqlite_database(tmp_path)


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this test's own: nobody answers there but servers that it starts, and meanwhile nobody else gets it."""
    with kept_port() as own:
        yield own


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Make servers that are yet to be started; whatever still runs at the end is killed."""
    made: list[ServerProcess] = []

    def make(database_url: str, *arguments: str, **settings: object) -> ServerProcess:
        made.append(ServerProcess(tmp_path, database_url, *arguments, **settings))
        return made[-1]

    yield make
    for server in made:
        server.__exit__()


@pytest.fixture
def server(make_server: Callable[..., ServerProcess], database_url: str) -> ServerProcess:
    """A running server on a database of each kind; what it has stored stays as it is."""
    return make_server(database_url, fold_seconds=3600).start()


@pytest.fixture
def sqlite_server(make_server: Callable[..., ServerProcess], sqlite_url: str) -> ServerProcess:
    """A running server on SQLite, for what does not depend on the store; what it has stored stays as it is."""
    return make_server(sqlite_url, fold_seconds=3600).start()


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the running server."""
    async with Client(server.url) as client:
        yield client


@pytest.fixture
async def sqlite_client(sqlite_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the server on SQLite."""
    async with Client(sqlite_server.url) as client:
        yield client
