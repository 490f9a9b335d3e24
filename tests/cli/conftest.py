"""Fixtures: servers with agents that ask more than the demo agent."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.harness.process import ServerProcess

AGENTS: Final = Path(__file__).with_name("curious_agents.py")
_COUNT: Final = itertools.count(1)


@pytest.fixture
def curious_server(make_server: Callable[..., ServerProcess], sqlite_url: str) -> ServerProcess:
    """A running server on SQLite with the agent `curious`, for what no other test must meet."""
    return make_server(sqlite_url, str(AGENTS)).start()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server on SQLite with the agent `curious`, for tests that keep to a session of their own."""
    folder = tmp_path_factory.mktemp("shared")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", str(AGENTS)) as server:
        yield server


@pytest.fixture
def session() -> str:
    """A session that no other test has."""
    return f"s{next(_COUNT)}"
