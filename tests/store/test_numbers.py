"""Each branch's events are numbered from 1 without a hole, whoever writes at the same time."""

import asyncio
from random import Random

import msgspec

from events.position import Position
from hosting.adapters.sql.database import Database
from hosting.domain.branch import Branch
from hosting.domain.scope import NodeId
from hosting.ports.units import Committed, Outcome, Refusal, Unit
from tests.store.units import (
    LEASE_SECONDS,
    add_branch,
    add_notes,
    held,
    log,
    make_branch,
    make_lease,
    new_branch,
    opened,
    said,
    start_run,
    stored,
)


async def test_the_first_event_of_a_branch_has_the_number_one(database: Database) -> None:
    branch = new_branch("s2")
    await make_branch(database, "s2x")
    unit = add_branch(new_branch("s2x", "side"))

    committed = await stored(database.events, unit)

    assert committed.first.seq == 1
    assert committed.before.seq == 0
    assert branch.epoch != committed.first.epoch


async def test_a_unit_is_told_where_its_events_are_and_the_bytes_that_are_stored(database: Database) -> None:
    branch = await make_branch(database)

    committed = await stored(database.events, add_notes(branch, "a", "b"))

    assert Position(branch.epoch, 2) == committed.first
    assert committed.lines == (await log(database, branch))[1:]
    assert [f"{branch.epoch}.2", f"{branch.epoch}.3"] == [
        msgspec.json.decode(line)["eventId"] for line in committed.lines
    ]


async def test_a_unit_without_events_moves_no_number(database: Database) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)
    head = await database.log.head(branch.key)

    await stored(database.events, held(lease))

    assert head == await database.log.head(branch.key)


async def test_numbers_have_no_hole_when_many_write_many_branches_at_once(database: Database) -> None:
    branches = [await make_branch(database, f"s{index}") for index in range(5)]
    leases = {branch.key: await make_lease(database, branch) for branch in branches[:2]}
    random = Random(7)

    def batch(number: int) -> list[Unit]:
        chosen = random.sample(branches, random.randint(1, len(branches)))
        texts = [f"{number}.{index}" for index in range(random.randint(1, 4))]
        return [
            held(leases[branch.key], *texts) if branch.key in leases else add_notes(branch, *texts) for branch in chosen
        ]

    batches = [batch(number) for number in range(60)]
    outcomes = await asyncio.gather(*(database.events.commit(units) for units in batches))

    for branch in branches:
        lines = (await log(database, branch))[2 if branch.key in leases else 1 :]
        told = [
            (outcome.first.seq, outcome.lines)
            for units, of_batch in zip(batches, outcomes, strict=True)
            for unit, outcome in zip(units, of_batch, strict=True)
            if unit.branch_key == branch.key and isinstance(outcome, Committed)
        ]
        assert lines == [line for _, written in sorted(told) for line in written]
        assert len(lines) == sum(
            len(unit.events) for units in batches for unit in units if unit.branch_key == branch.key
        )


async def test_one_of_many_who_start_a_run_at_once_gets_the_branch(database: Database) -> None:
    branch = await make_branch(database)

    outcomes = await asyncio.gather(*(database.events.commit([start_run(branch)]) for _ in range(20)))

    flat: list[Outcome] = [outcome for (outcome,) in outcomes]
    assert sum(isinstance(outcome, Committed) for outcome in flat) == 1
    assert [outcome for outcome in flat if not isinstance(outcome, Committed)] == [Refusal.RUN_ACTIVE] * 19
    assert said(await log(database, branch)) == ["", ""]


async def test_runs_that_start_on_many_sessions_in_any_order_do_not_stand_in_each_others_way(
    database: Database,
) -> None:
    sides: list[Branch] = []
    for index in range(6):
        await make_branch(database, f"s{index}")
        for side in range(4):
            sides.append(new_branch(f"s{index}", f"b{side}"))
            await stored(database.events, add_branch(sides[-1]))
    shuffled = Random(3).sample(sides, len(sides))
    batches = [[start_run(branch) for branch in shuffled[start::4]] for start in range(4)]

    outcomes = await asyncio.gather(*(database.events.commit(units) for units in batches))

    assert {Committed} == {type(outcome) for of_batch in outcomes for outcome in of_batch}


async def test_each_branch_has_an_epoch_of_its_own(database: Database) -> None:
    main = await make_branch(database, "s1")
    others = [new_branch("s1", f"b{index}") for index in range(5)]
    for other in others:
        await stored(database.events, add_branch(other))

    branches = await database.tenant(main.scope.tenant).branches(main.scope.session_id)

    assert len({branch.epoch for branch in branches}) == 6
    for branch in branches:
        assert {branch.epoch} == {
            msgspec.json.decode(line)["eventId"].split(".")[0] for line in await log(database, branch)
        }


async def test_two_servers_on_one_database_number_one_branch_without_a_hole(
    postgres_url: str,
) -> None:
    async with opened(postgres_url) as one, opened(postgres_url) as two:
        branch = await make_branch(one)

        await asyncio.gather(
            *(
                server.events.commit([add_notes(branch, f"{name}{index}")])
                for index in range(30)
                for name, server in (("one", one), ("two", two))
            )
        )

        assert len(await log(two, branch)) == 61
        assert await log(one, branch) == await log(two, branch)


async def test_the_node_that_was_fenced_off_writes_nothing_more(postgres_url: str) -> None:
    async with opened(postgres_url) as one, opened(postgres_url) as two:
        branch = await make_branch(one)
        old = await make_lease(one, branch)
        await one.leases.expire_all()
        (new,) = await two.leases.claim([old.run.id], NodeId("node-2"), LEASE_SECONDS)

        outcomes = await asyncio.gather(
            *(
                server.events.commit([held(lease, text)])
                for server, lease, text in ((one, old, "old"), (two, new, "new"))
            )
        )

        assert outcomes[0] == [Refusal.FENCED]
        assert isinstance(outcomes[1][0], Committed)
        assert said(await log(two, branch)) == ["", "", "new"]
