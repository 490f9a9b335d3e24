"""A run is written by one node at a time; who comes later has a greater fence."""

import asyncio

from events.ids import RunId
from hosting.adapters.sql.database import Database
from hosting.domain.scope import NodeId
from hosting.ports.units import Refusal
from tests.store.units import (
    LEASE_SECONDS,
    NODE,
    end_run,
    held,
    log,
    make_branch,
    make_lease,
    make_run,
    said,
    start_run,
    stored,
    user_message,
)

OTHER = NodeId("node-2")
OVER = 0.0
"""How long a lease lives that has run out as soon as it is given."""


async def test_a_run_that_was_just_accepted_belongs_to_nobody(database: Database) -> None:
    first = await make_run(database, await make_branch(database, "s1"))
    second = await make_run(database, await make_branch(database, "s2"))

    assert [first, second] == await database.leases.unowned(10)
    assert [first] == await database.leases.unowned(1)


async def test_a_claim_gives_a_lease_with_the_run_as_it_is_stored(database: Database) -> None:
    branch = await make_branch(database)
    run_id = await make_run(database, branch)

    (lease,) = await database.leases.claim([run_id], NODE, LEASE_SECONDS)

    assert lease.run == await database.tenant(branch.scope.tenant).run(branch.key, run_id)
    assert (lease.run.id, lease.run.scope, lease.node, lease.attempt) == (run_id, branch.scope, NODE, 1)
    assert list(lease.input) == await database.runs.messages(branch.key)
    assert await database.leases.unowned(10) == []


async def test_many_runs_are_claimed_at_once_and_unknown_ones_are_left_out(database: Database) -> None:
    runs = [await make_run(database, await make_branch(database, f"s{index}")) for index in range(3)]

    claimed = await database.leases.claim([RunId("run_unknown"), *reversed(runs)], NODE, LEASE_SECONDS)

    assert runs == [lease.run.id for lease in claimed]
    assert await database.leases.claim([], NODE, LEASE_SECONDS) == []


async def test_a_claim_brings_the_messages_of_each_run_in_their_order(database: Database) -> None:
    inputs = []
    for name in ("s1", "s2"):
        unit = start_run(await make_branch(database, name), *(user_message(f"{name}.{index}") for index in range(3)))
        await stored(database.events, unit)
        inputs.append([f"{name}.{index}" for index in range(3)])

    claimed = await database.leases.claim(await database.leases.unowned(10), NODE, LEASE_SECONDS)

    assert inputs == [[message.text for message in lease.input] for lease in claimed]


async def test_a_run_that_is_held_is_not_claimed_again(database: Database) -> None:
    lease = await make_lease(database, await make_branch(database))

    assert await database.leases.claim([lease.run.id], OTHER, LEASE_SECONDS) == []
    assert await database.leases.claim([lease.run.id], NODE, LEASE_SECONDS) == []


async def test_a_run_that_has_ended_is_not_claimed(database: Database) -> None:
    lease = await make_lease(database, await make_branch(database))
    await stored(database.events, end_run(lease))

    assert await database.leases.claim([lease.run.id], OTHER, LEASE_SECONDS) == []
    assert await database.leases.unowned(10) == []
    assert await database.leases.renew([lease.run.id], NODE, LEASE_SECONDS) == set()


async def test_one_of_two_nodes_that_race_for_runs_gets_each(database: Database) -> None:
    runs = [await make_run(database, await make_branch(database, f"s{index}")) for index in range(8)]

    claims = await asyncio.gather(
        *(
            database.leases.claim(order, NodeId(f"node-{number}"), LEASE_SECONDS)
            for number, order in enumerate((runs, runs[::-1], runs[4:] + runs[:4], runs))
        )
    )

    got = [lease.run.id for claimed in claims for lease in claimed]
    assert sorted(runs) == sorted(got)
    assert {1} == {lease.attempt for claimed in claims for lease in claimed}


async def test_a_lease_that_ran_out_is_anyones_and_the_old_holder_writes_nothing(database: Database) -> None:
    branch = await make_branch(database)
    run_id = await make_run(database, branch)
    (old,) = await database.leases.claim([run_id], NODE, OVER)
    assert await database.leases.unowned(10) == [run_id]

    (new,) = await database.leases.claim([run_id], OTHER, LEASE_SECONDS)
    outcomes = await database.events.commit([held(old, "late")])
    ended = await database.events.commit([end_run(old)])
    await stored(database.events, held(new, "mine"))

    assert new.fence > old.fence
    assert (old.attempt, new.attempt) == (1, 2)
    assert [*outcomes, *ended] == [Refusal.FENCED] * 2
    assert said(await log(database, branch)) == ["", "", "mine"]
    assert await database.leases.renew([run_id], NODE, LEASE_SECONDS) == {run_id}
    assert await database.leases.renew([run_id], OTHER, LEASE_SECONDS) == set()


async def test_a_lease_that_ran_out_cannot_be_renewed_even_if_nobody_took_it(database: Database) -> None:
    run_id = await make_run(database, await make_branch(database))
    await database.leases.claim([run_id], NODE, OVER)

    assert await database.leases.renew([run_id], NODE, LEASE_SECONDS) == {run_id}
    assert await database.leases.unowned(10) == [run_id]


async def test_renewing_prolongs_what_this_node_holds_and_nothing_else(database: Database) -> None:
    mine = await make_lease(database, await make_branch(database, "s1"))
    theirs = await make_lease(database, await make_branch(database, "s2"), OTHER)

    lost = await database.leases.renew([mine.run.id, theirs.run.id, RunId("run_unknown")], NODE, OVER)

    assert lost == {theirs.run.id}
    assert await database.leases.unowned(10) == [mine.run.id]


async def test_a_run_that_is_given_back_is_free_at_once_and_the_attempt_is_not_counted(database: Database) -> None:
    branch = await make_branch(database)
    first = await make_lease(database, branch)

    await database.leases.release([first.run.id], NODE)
    assert await database.leases.unowned(10) == [first.run.id]
    (second,) = await database.leases.claim([first.run.id], OTHER, LEASE_SECONDS)

    assert (first.attempt, second.attempt) == (1, 1)
    assert second.fence > first.fence
    assert await database.events.commit([held(first, "late")]) == [Refusal.FENCED]


async def test_a_node_cannot_give_back_what_another_holds(database: Database) -> None:
    lease = await make_lease(database, await make_branch(database))

    await database.leases.release([lease.run.id], OTHER)

    assert await database.leases.unowned(10) == []
    assert await database.leases.renew([lease.run.id], NODE, LEASE_SECONDS) == set()


async def test_a_run_that_is_given_back_twice_is_given_back_once(database: Database) -> None:
    branch = await make_branch(database)
    run_id = await make_run(database, branch)
    await database.leases.claim([run_id], NODE, OVER)

    for _ in range(2):
        await database.leases.release([run_id], NODE)
    (again,) = await database.leases.claim([run_id], OTHER, LEASE_SECONDS)
    await database.leases.release([run_id], NODE)

    assert again.attempt == 1
    assert await database.leases.renew([run_id], OTHER, LEASE_SECONDS) == set()


async def test_attempts_are_counted(database: Database) -> None:
    run_id = await make_run(database, await make_branch(database))

    claims = [await database.leases.claim([run_id], NODE, OVER) for _ in range(4)]

    assert [lease.attempt for (lease,) in claims] == [1, 2, 3, 4]
    assert len({lease.fence for (lease,) in claims}) == 4


async def test_a_server_that_is_alone_treats_every_lease_as_run_out(database: Database) -> None:
    leases = [await make_lease(database, await make_branch(database, f"s{index}")) for index in range(2)]

    await database.leases.expire_all()

    assert [lease.run.id for lease in leases] == await database.leases.unowned(10)


async def test_a_later_run_of_the_branch_has_a_greater_fence(database: Database) -> None:
    branch = await make_branch(database)
    first = await make_lease(database, branch)
    await stored(database.events, end_run(first))

    second = await make_lease(database, branch, OTHER)

    assert second.fence > first.fence
    assert await database.events.commit([held(first, "late")]) == [Refusal.FENCED]


async def test_nothing_of_a_run_follows_its_end(database: Database) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)
    await stored(database.events, end_run(lease))

    outcomes = await database.events.commit([held(lease, "after the end")])

    assert outcomes == [Refusal.FENCED]
    assert said(await log(database, branch)) == ["", "", ""]
