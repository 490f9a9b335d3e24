"""Two servers on one PostgreSQL."""

from collections.abc import Callable

import pytest

from tests.edge.deadline import seconds_until
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.nodes.pair import NEVER_SECONDS, Pair

_LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = ? AND datname = current_database()"


@pytest.fixture
async def pair(make_server: Callable[..., ServerProcess], postgres: PostgresCluster) -> Pair:
    """Two servers that look by themselves as good as never: what one hears of the other it hears by hints."""
    url = await postgres.create_database_async()
    patient = {"tops_seconds": NEVER_SECONDS, "sweep_seconds": NEVER_SECONDS}
    pair = Pair(url, make_server(url, **patient).start(), make_server(url, **patient).start())

    async def both_listen() -> bool:
        return await RawStore(url).run(_LISTENERS, "branchline hints") == [(2,)]

    await seconds_until(both_listen, within=20)
    return pair
