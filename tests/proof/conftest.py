"""What the trials of this package stand on."""

import pytest

from tests.harness.postgres import PostgresCluster


@pytest.fixture
def postgres_url(postgres: PostgresCluster) -> str:
    """A PostgreSQL database, for what takes two servers."""
    return postgres.create_database()
