"""Open databases of both kinds."""

from collections.abc import AsyncIterator

import pytest

from hosting.adapters.sql.database import Database
from tests.store.units import opened


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, empty database of each kind."""
    async with opened(database_url) as database:
        yield database
