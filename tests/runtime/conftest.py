"""Writers at work on databases of both kinds."""

from collections.abc import AsyncIterator

import pytest

from tests.runtime.bench import Bench, benched


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    """A writer on an empty database of each kind."""
    async with benched(database_url) as bench:
        yield bench
