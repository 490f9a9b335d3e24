"""A connection that is cut in the middle of a commit: what was stored is acknowledged, what was not is not."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from events.ids import SessionId
from hosting.adapters.sql.database import Database, open_database
from hosting.domain.errors import StorageUnavailable
from hosting.domain.scope import LOCAL_TENANT
from hosting.ports.units import Committed
from tests.crash.units import new_session
from tests.harness.postgres import PostgresCluster
from tests.harness.proxy import CommitCutter, Cut


@pytest.fixture
async def cutter(postgres: PostgresCluster) -> AsyncIterator[CommitCutter]:
    """A proxy before the cluster."""
    with tempfile.TemporaryDirectory(prefix="branchline-proxy-") as folder:
        async with CommitCutter(postgres.socket_folder, Path(folder)) as cutter:
            yield cutter


@pytest.fixture
async def database(postgres: PostgresCluster, cutter: CommitCutter) -> AsyncIterator[Database]:
    """A database behind the proxy."""
    url = (await postgres.create_database_async()).replace(postgres.socket_folder, cutter.folder)
    async with AsyncExitStack() as stack:
        yield await open_database(url, stack, lease_seconds=3)


async def test_a_commit_that_was_made_but_not_answered_is_acknowledged(
    database: Database, cutter: CommitCutter
) -> None:
    cutter.cut = Cut.AFTER

    (outcome,) = await database.events.commit([new_session("made")])

    assert cutter.cuts == 1
    assert isinstance(outcome, Committed)
    assert await database.tenant(LOCAL_TENANT).session(SessionId("made")) is not None


async def test_a_commit_that_never_arrived_is_refused_and_nothing_of_it_is_stored(
    database: Database, cutter: CommitCutter
) -> None:
    cutter.cut = Cut.BEFORE

    with pytest.raises(StorageUnavailable):
        await database.events.commit([new_session("lost")])

    assert cutter.cuts == 1
    assert await database.tenant(LOCAL_TENANT).session(SessionId("lost")) is None
    (again,) = await database.events.commit([new_session("lost")])
    assert isinstance(again, Committed)
