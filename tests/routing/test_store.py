"""What routers have learnt is kept, once, and apart."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hosting.adapters.sql.database import Database
from hosting.domain.errors import StorageUnavailable
from hosting.domain.observation import Observation, QaResult, RunOutcome
from hosting.domain.posterior import NOTHING_KNOWN, Posterior
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.routing import RoutingStore
from tests.harness.postgres import PostgresCluster
from tests.routing.observed import NOW, arm, observation
from tests.store.units import execute, opened

PAIRS = 1000
PAIRS_OF_TWO = 200

ARMS = st.builds(arm, st.sampled_from(["claude", "codex"]), st.sampled_from(["qa", "dev"]), st.sampled_from(["a", "b"]))
OBSERVATIONS = st.lists(
    st.builds(
        Observation,
        arm=ARMS,
        session_id=st.sampled_from(["wse_1", "wse_2"]),
        key=st.sampled_from([f"id:{number}" for number in range(5)]),
        reward=st.floats(0, 1),
        observed_at=st.just(NOW),
        cost=st.none() | st.floats(0, 1e9),
    ),
    max_size=30,
)


async def known(store: RoutingStore, provider: str = "claude", tenant: str = LOCAL_TENANT) -> Posterior | None:
    """Return what is known of a provider's research."""
    return (await store.posteriors(TenantId(tenant), "research", [provider, "nobody"])).get(provider)


def learnt(observed: Sequence[Observation]) -> dict[object, Posterior]:
    """Return what is to be known of each arm: each observation counts once."""
    once: dict[object, Observation] = {}
    for each in observed:
        once.setdefault((each.arm, each.session_id, each.key), each)
    arms: dict[object, Posterior] = {}
    for each in once.values():
        arms[each.arm] = arms.get(each.arm, NOTHING_KNOWN).learn(each.reward, each.cost)
    return arms


async def test_an_observation_is_learnt_from_once(database: Database) -> None:
    told = [await database.routing.learn(observation("claim:1", 0.5, cost=2.0)) for _ in range(3)]

    assert told == [True, False, False]
    assert await known(database.routing) == Posterior(1.5, 1.0, 1, 0.5, 2.0, 1)


async def test_another_key_session_provider_or_type_of_work_is_another_observation(database: Database) -> None:
    first = observation("claim:1")

    told = [
        await database.routing.learn(each)
        for each in (
            first,
            observation("claim:2"),
            observation("claim:1", session_id="wse_2"),
            observation("claim:1", arm=arm("codex")),
            observation("claim:1", arm=arm(work_type="qa")),
            observation("claim:1", arm=arm(tenant="other")),
        )
    ]

    assert told == [True] * 6
    assert await known(database.routing) == Posterior(4.0, 1.0, 3, 1.0)
    assert (
        await known(database.routing, "codex") == await known(database.routing, tenant="other") == Posterior(2, 1, 1, 1)
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(observed=OBSERVATIONS)
async def test_the_database_learns_as_the_rule_says(
    database: Database, database_url: str, observed: list[Observation]
) -> None:
    for table in ("routing_posteriors", "routing_observations"):
        await execute(database_url, f"DELETE FROM {table}")

    for each in observed:
        await database.routing.learn(each)

    stored = {
        each.arm: each.posterior for tenant in "ab" for each in await database.routing.arms(TenantId(tenant), 1000)
    }
    assert stored == learnt(observed)
    kept = [each for tenant in "ab" for each in await database.routing.observations(TenantId(tenant), 1000)]
    assert sum(posterior.observations for posterior in stored.values()) == len(kept)
    assert {each.observation.arm.tenant for each in kept} <= {"a", "b"}


async def test_a_thousand_pairs_that_race_count_once_each(database: Database) -> None:
    pairs = [observation(f"id:{number // 2}", cost=1.0) for number in range(2 * PAIRS)]

    told = await asyncio.gather(*map(database.routing.learn, pairs))

    assert sorted(told) == [False] * PAIRS + [True] * PAIRS
    assert await known(database.routing) == Posterior(PAIRS + 1.0, 1.0, PAIRS, 1.0, 1.0, PAIRS)


async def test_pairs_of_which_two_servers_have_one_each_count_once(postgres: PostgresCluster) -> None:
    url = await postgres.create_database_async()
    pairs = [observation(f"id:{number}", arm=arm(f"provider-{number % 3}")) for number in range(PAIRS_OF_TWO)]

    async with opened(url) as here, opened(url) as there:
        told = await asyncio.gather(*(store.learn(each) for each in pairs for store in (here.routing, there.routing)))
        arms = await there.routing.arms(LOCAL_TENANT, 10)

    assert sorted(told) == [False] * PAIRS_OF_TWO + [True] * PAIRS_OF_TWO
    assert sum(each.posterior.observations for each in arms) == PAIRS_OF_TWO
    assert sum(each.posterior.alpha - 1.0 for each in arms) == PAIRS_OF_TWO


async def test_what_was_said_of_a_run_is_kept_as_it_was_said(database: Database) -> None:
    outcome = RunOutcome(
        project="verse",
        issue_identifier="V-1",
        task_completed=True,
        pr_created=False,
        qa_result=QaResult.PASSED,
        wall_clock_ms=2**53 - 1,
    )
    said = observation("id:ünïcode", 0.25, cost=0.125, outcome=outcome, arm=arm("Клод", "naïve"))

    await database.routing.learn(said)

    (kept,) = await database.routing.observations(LOCAL_TENANT, 10)
    assert kept.observation == said


async def test_observations_are_read_by_pages_the_newest_first(database: Database) -> None:
    times = [NOW, NOW, NOW, NOW + timedelta(seconds=1), NOW - timedelta(microseconds=1)]
    for number, at in enumerate(times):
        await database.routing.learn(observation(f"id:{number}", observed_at=at))
    await database.routing.learn(observation("id:theirs", arm=arm(tenant="other")))

    first = await database.routing.observations(LOCAL_TENANT, 2)
    second = await database.routing.observations(LOCAL_TENANT, 2, behind=first[-1].place)
    third = await database.routing.observations(LOCAL_TENANT, 2, behind=second[-1].place)
    none = await database.routing.observations(LOCAL_TENANT, 2, behind=third[-1].place)
    now = await database.routing.observations(LOCAL_TENANT, 10, since=NOW, until=NOW)

    keys = [[each.observation.key for each in page] for page in (first, second, third, none, now)]
    assert keys == [["id:3", "id:2"], ["id:1", "id:0"], ["id:4"], [], ["id:2", "id:1", "id:0"]]


@pytest.mark.parametrize("table", ["routing_posteriors", "routing_observations"])
async def test_tables_that_are_gone_are_the_one_error_that_nobody_fails_for(
    database: Database, database_url: str, table: str
) -> None:
    await execute(database_url, f"ALTER TABLE {table} RENAME TO gone")

    with pytest.raises(StorageUnavailable):
        await database.routing.learn(observation("id:1"))
    with pytest.raises(StorageUnavailable):
        await (
            known(database.routing) if table.endswith("posteriors") else database.routing.observations(LOCAL_TENANT, 1)
        )

    await execute(database_url, f"ALTER TABLE gone RENAME TO {table}")
    assert await known(database.routing) is None
    assert await database.routing.learn(observation("id:1"))
