"""Databases of the kind that a fixture's parameter names."""

from pathlib import Path

import pytest

from tests.harness.postgres import PostgresCluster
from tests.harness.sqlite import sqlite_database

DATABASES = ("sqlite", "postgresql")
"""The parameters: who takes these runs on both."""


def database_for(request: pytest.FixtureRequest, folder: Path) -> str:
    """Make a database that has its tables and no row, in a folder or in this process's cluster, and return its URL."""
    if request.param == "sqlite":
        return sqlite_database(folder)
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return cluster.create_database()
