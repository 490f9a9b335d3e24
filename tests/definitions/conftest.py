"""Open databases of both kinds."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from hosting.adapters.sql.database import Database
from tests.store.units import opened


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, empty database of each kind."""
    async with opened(database_url) as database:
        yield database


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file of keys, which PostgreSQL needs to store what is secret."""
    ensure_key_file(tmp_path / "keys")
    return tmp_path / "keys"
