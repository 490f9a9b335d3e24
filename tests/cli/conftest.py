"""Fixtures: a server with agents that ask more than the demo agent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.process import ServerProcess

AGENTS = Path(__file__).with_name("curious_agents.py")


@pytest.fixture
def curious_server(make_server: Callable[..., ServerProcess], sqlite_url: str) -> ServerProcess:
    """A running server on SQLite with the agent `curious`."""
    return make_server(sqlite_url, str(AGENTS)).start()
