"""What routers have learnt is forgotten when it is too old or too much, and not before."""

import asyncio
from datetime import datetime, timedelta

import pytest

from hosting.adapters.sql.database import Database
from hosting.adapters.sql.times import to_ticks
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.routing import RoutingStore
from hosting.services.routing.prune import watch_routing
from tests.edge.deadline import seconds_until
from tests.harness.raw_store import RawStore
from tests.routing.observed import NOW, arm, observation
from tests.routing.routers import router_with
from tests.store.units import execute

DAY = timedelta(days=1)
MOST_OBSERVATIONS = 10_000
MOST_ARMS = 1_000

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "


async def add_observations(url: str, count: int, tenant: str, first: int, apart: int) -> None:
    """Store so many observations past the server: the first at a tick, the others so many ticks apart."""
    await RawStore(url).run(
        "INSERT INTO routing_observations "
        "(tenant, session_id, observation_key, provider, work_type, reward, outcome, observed_at) "
        + _NUMBERS.format(count=count)
        + f"SELECT '{tenant}', 's', 'old:' || i, 'claude', 'qa', 1.0, CAST('{{}}' AS {_bytes(url)}), "
        f"{first} + (i - 1) * CAST({apart} AS BIGINT) FROM n"
    )


async def add_arms(url: str, count: int, tenant: str, first: int) -> None:
    """Store so many arms past the server, each touched a tick after the one before."""
    await RawStore(url).run(
        "INSERT INTO routing_posteriors "
        "(tenant, work_type, provider, alpha, beta, observations, average_reward, average_cost, costs, updated_at) "
        + _NUMBERS.format(count=count)
        + f"SELECT '{tenant}', 'qa', 'p' || i, 2.0, 1.0, 1, 1.0, 0.0, 0, {first} + i FROM n"
    )


def _bytes(url: str) -> str:
    return "BLOB" if url.startswith("sqlite") else "BYTEA"


async def keys(store: RoutingStore, tenant: str) -> list[str]:
    """Return the keys of a tenant's observations, the newest first."""
    return [each.observation.key for each in await store.observations(TenantId(tenant), 20_000)]


async def test_the_newest_ten_thousand_stay_and_all_of_the_last_day(database: Database, database_url: str) -> None:
    old, recent = to_ticks(NOW - 2 * DAY), to_ticks(NOW - DAY)
    await add_observations(database_url, 12_500, "many", old, 1)
    await add_observations(database_url, 12_500, "busy", recent, 1)
    await add_observations(database_url, 10_000, "few", old, 1)
    await add_observations(database_url, 10_001, "same", old, 0)
    await database.routing.learn(observation("id:new", arm=arm(tenant="many")))

    forgotten = await database.routing.prune(NOW)
    again = await database.routing.prune(NOW)

    counts = {tenant: len(await keys(database.routing, tenant)) for tenant in ("many", "busy", "few", "same")}
    many = await keys(database.routing, "many")
    assert counts == {"many": 10_000, "busy": 12_500, "few": 10_000, "same": 10_000}
    assert (forgotten, again) == (2_501 + 1, 0)
    assert many == ["id:new", *(f"old:{number}" for number in range(12_500, 2_501, -1))]
    assert (await keys(database.routing, "same"))[-1] == "old:2"


async def test_arms_that_learnt_nothing_for_90_days_are_forgotten_and_those_that_are_too_many(
    database: Database, database_url: str
) -> None:
    await add_arms(database_url, 1_003, "many", to_ticks(NOW - DAY))
    await add_arms(database_url, 1_000, "few", to_ticks(NOW - DAY))
    for provider, age in (("old", 90 * DAY + timedelta(seconds=1)), ("fresh", 90 * DAY)):
        await database.routing.learn(observation("id:1", arm=arm(provider), observed_at=NOW - age))

    forgotten = await database.routing.prune(NOW)

    known = {
        tenant: {each.arm.provider for each in await database.routing.arms(TenantId(tenant), 2_000)}
        for tenant in ("many", "few", LOCAL_TENANT)
    }
    assert forgotten == 3 + 1
    assert known["many"] == {f"p{number}" for number in range(4, 1_004)}
    assert len(known["few"]) == 1_000
    assert known[LOCAL_TENANT] == {"fresh"}


async def test_it_is_looked_at_again_and_again_whatever_is_wrong_in_between(
    database: Database, database_url: str
) -> None:
    await add_arms(database_url, 1_001, "many", to_ticks(NOW))
    looks: list[datetime] = []

    def clock() -> datetime:
        looks.append(NOW)
        return NOW

    async def has_looked() -> bool:
        return len(looks) >= 3

    async def is_done() -> bool:
        return len(await database.routing.arms(TenantId("many"), 2_000)) == 1_000

    await execute(database_url, "ALTER TABLE routing_posteriors RENAME TO gone")
    watching = asyncio.create_task(watch_routing(router_with(database, clock), every_seconds=0.01))
    await seconds_until(has_looked, within=10)
    await execute(database_url, "ALTER TABLE gone RENAME TO routing_posteriors")

    await seconds_until(is_done, within=10)

    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
