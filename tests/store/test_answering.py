"""A database that falls silent is asked by few; who only waited in vain for those has nothing to say of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hosting.adapters.sql.answering import Answering
from hosting.domain.errors import StorageUnavailable

CONNECTIONS = 5


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool that nobody waits for long for."""
    engine = create_async_engine(postgres_url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=0.05)
    yield engine
    await engine.dispose()


async def test_a_pool_that_is_empty_says_nothing_of_a_database_that_is_silent(engine: AsyncEngine) -> None:
    answering = Answering()
    for _ in range(2):
        await _hear_nothing(answering, engine)
    async with AsyncExitStack() as busy:
        for _ in range(CONNECTIONS):
            await busy.enter_async_context(engine.connect())
        with pytest.raises(PoolTimeout):
            await busy.enter_async_context(answering.connection(engine))
    await _hear_nothing(answering, engine)

    async with AsyncExitStack() as asking:
        for _ in range(CONNECTIONS - 1):
            await asking.enter_async_context(answering.connection(engine))
        with pytest.raises(StorageUnavailable):
            await asking.enter_async_context(answering.connection(engine))


async def _hear_nothing(answering: Answering, engine: AsyncEngine) -> None:
    with pytest.raises(TimeoutError):
        async with answering.connection(engine):
            raise TimeoutError
