"""What a run comes to is learnt with its end: once, and only if that end is."""

import asyncio
from dataclasses import replace

from hosting.adapters.sql.database import Database
from hosting.domain.lease import Lease
from hosting.domain.observation import key_of_run
from hosting.domain.posterior import Posterior
from hosting.domain.scope import LOCAL_TENANT
from hosting.ports.results import Observe
from hosting.ports.units import Committed, Refusal, Unit
from tests.harness.postgres import PostgresCluster
from tests.routing.observed import arm, observation
from tests.store.units import end_run, make_branch, make_lease, notes, opened

RUNS = 40


def ended(lease: Lease, *rewards: float) -> Unit:
    """Return the unit that ends a run, and tells what each of its providers has brought."""
    unit = end_run(lease)
    key, session = key_of_run(lease.run.id), lease.run.scope.session_id
    told = [observation(key, reward, arm=arm(f"p{at}"), session_id=session) for at, reward in enumerate(rewards)]
    unit.changes += map(Observe, told)
    return unit


async def arms(database: Database) -> dict[str, Posterior]:
    """Return what is known of each provider."""
    return {each.arm.provider: each.posterior for each in await database.routing.arms(LOCAL_TENANT, 100)}


async def test_a_runs_end_and_what_it_has_brought_are_kept_together(database: Database) -> None:
    lease = await make_lease(database, await make_branch(database))

    (outcome,) = await database.events.commit([ended(lease, 1.0, 0.25)])

    assert isinstance(outcome, Committed)
    assert await arms(database) == {"p0": Posterior(2.0, 1.0, 1, 1.0), "p1": Posterior(1.0, 1.75, 1, 0.25)}


async def test_an_end_whose_lease_is_old_teaches_nothing(database: Database) -> None:
    lease = await make_lease(database, await make_branch(database))

    (outcome,) = await database.events.commit([ended(replace(lease, fence=lease.fence - 1), 1.0)])

    assert outcome is Refusal.FENCED
    assert await arms(database) == {}


async def test_what_is_told_again_counts_once_and_keeps_no_end_back(database: Database) -> None:
    lease = await make_lease(database, await make_branch(database))
    unit = ended(lease, 1.0)
    (said,) = (change.observation for change in unit.changes if isinstance(change, Observe))
    await database.routing.learn(said)
    unit.changes.append(Observe(said))

    (outcome,) = await database.events.commit([unit])

    assert isinstance(outcome, Committed)
    assert await arms(database) == {"p0": Posterior(2.0, 1.0, 1, 1.0)}


async def test_an_observation_that_cannot_be_stored_is_left_out_and_its_unit_and_the_others_are_stored(
    database: Database,
) -> None:
    leases = [await make_lease(database, await make_branch(database, f"s{at}")) for at in range(2)]
    spoiled, fine = (ended(lease, 1.0) for lease in leases)
    # There is no observation without a session.
    spoiled.changes.append(Observe(observation("key", 1.0, session_id=None)))  # type: ignore[arg-type]

    outcomes = await database.events.commit([spoiled, fine])

    assert [isinstance(outcome, Committed) for outcome in outcomes] == [True, True]
    assert await arms(database) == {"p0": Posterior(3.0, 1.0, 2, 1.0)}


async def test_two_servers_whose_runs_move_the_same_arms_do_not_keep_each_other_waiting(
    postgres: PostgresCluster,
) -> None:
    url = await postgres.create_database_async()
    async with opened(url) as here, opened(url) as there:
        branches = [await make_branch(here, f"s{at}") for at in range(RUNS)]
        leases = [await make_lease(here, branch) for branch in branches]
        batches = [leases[at : at + 4] for at in range(0, RUNS, 4)]

        async with asyncio.timeout(20):
            outcomes = await asyncio.gather(
                *(
                    (here, there)[at % 2].events.commit(
                        # One after the other, and the same backwards.
                        [ended(lease, 1.0, 1.0, 1.0) for lease in batch]
                        + [Unit(LOCAL_TENANT, branches[-1 - at].key, events=notes("hello"))]
                    )
                    for at, batch in enumerate(batches)
                )
            )

        known = await arms(here)
    assert all(isinstance(outcome, Committed) for batch in outcomes for outcome in batch)
    assert [known[name].observations for name in ("p0", "p1", "p2")] == [RUNS] * 3
