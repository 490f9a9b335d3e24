"""What a store keeps of definitions: each tenant its own, and each version as long as a run may need it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import msgspec

from events.ids import AgentId
from hosting.adapters.sql.database import Database
from hosting.domain.definition import AgentConfig, Runtime
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.domain.step import StepKey, StepKind
from hosting.ports.units import BeginStep, StartRun, Unit
from tests.definitions.made import CIPHER, definition
from tests.store.units import IDS, LEASE_SECONDS, NODE, NOW, end_run, held, make_branch, make_lease, start_run, stored

OTHER = TenantId("other")
LATER = NOW + timedelta(minutes=1)
LONG_AFTER = NOW + timedelta(hours=2)


async def run_with(database: Database, agent_id: AgentId, version: int, session: str = "s1") -> Unit:
    """Store a run that works with a version."""
    unit = start_run(await make_branch(database, session), agent_id=agent_id)
    (start,) = unit.changes
    assert isinstance(start, StartRun)
    unit.changes = [replace(start, run=replace(start.run, agent_version=version))]
    await stored(database.events, unit)
    return unit


async def test_what_was_stored_is_read(database: Database) -> None:
    door = database.definitions(LOCAL_TENANT, CIPHER)
    first, second = definition(), definition("Painter", at=LATER)

    await door.add(second)
    await door.add(first)

    assert first == await door.definition(first.id)
    summary = await door.summary(first.id)
    assert summary is not None
    assert msgspec.structs.asdict(summary).items() <= msgspec.structs.asdict(first).items()
    assert [first.id, second.id] == [one.id for one in await door.summaries(10, 0)]
    assert [second.id] == [one.id for one in await door.summaries(1, 1)]
    assert await door.definition(IDS.agent()) is None
    assert await door.summary(IDS.agent()) is None


async def test_each_config_is_a_version_and_the_same_one_is_none(database: Database) -> None:
    door = database.definitions(LOCAL_TENANT, CIPHER)
    added = definition()
    await door.add(added)
    other = AgentConfig(system_instructions="Do not rhyme.", runtime=Runtime.WORKER)

    same = await door.revise(added.id, added.config, LATER)
    revised = await door.revise(added.id, other, LATER)

    assert added == same
    wanted = msgspec.structs.replace(added, version=2, config=other, runtime=Runtime.WORKER, updated_at=LATER)
    assert wanted == revised
    assert wanted == await door.definition(added.id)
    configs = [version.config for number in (1, 2) if (version := await door.version(added.id, number))]
    assert [added.config, other] == configs
    assert await door.version(added.id, 3) is None


async def test_whoever_changes_a_definition_at_once_makes_a_version_each(database: Database) -> None:
    door = database.definitions(LOCAL_TENANT, CIPHER)
    added = definition()
    await door.add(added)
    configs = [AgentConfig(system_instructions=str(number)) for number in range(8)]

    revised = await asyncio.gather(*(door.revise(added.id, config, LATER) for config in configs))

    made = {one.version: one.config for one in revised if one is not None}
    assert sorted(made) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert made == {number: kept.config for number in made if (kept := await door.version(added.id, number))}


async def test_what_is_deleted_is_gone_and_cannot_be_changed(database: Database) -> None:
    door = database.definitions(LOCAL_TENANT, CIPHER)
    added = definition()
    await door.add(added)

    assert await door.remove(added.id, LATER)

    assert await door.definition(added.id) is None
    assert await door.summaries(10, 0) == []
    assert await door.revise(added.id, AgentConfig(), LATER) is None
    assert not await door.remove(added.id, LATER)


async def test_a_tenants_definitions_are_not_there_for_another(database: Database) -> None:
    mine, theirs = database.definitions(LOCAL_TENANT, CIPHER), database.definitions(OTHER, CIPHER)
    added = definition()
    await mine.add(added)

    assert await theirs.definition(added.id) is None
    assert await theirs.summary(added.id) is None
    assert await theirs.version(added.id, 1) is None
    assert await theirs.summaries(10, 0) == []
    assert await theirs.revise(added.id, AgentConfig(), LATER) is None
    assert not await theirs.remove(added.id, LATER)

    assert added == await mine.definition(added.id)


async def test_versions_go_an_hour_after_they_were_replaced_when_no_run_needs_them(database: Database) -> None:
    door = database.definitions(LOCAL_TENANT, CIPHER)
    added = definition()
    await door.add(added)
    await door.revise(added.id, AgentConfig(), LATER)

    await door.add(definition())
    kept = await door.version(added.id, 1)
    await door.add(definition(at=LONG_AFTER))

    assert kept is not None
    assert await door.version(added.id, 1) is None
    assert await door.version(added.id, 2) is not None


async def test_a_run_that_has_not_ended_keeps_its_version_of_a_deleted_definition(database: Database) -> None:
    door = database.definitions(LOCAL_TENANT, CIPHER)
    added = definition()
    await door.add(added)
    unit = await run_with(database, added.id, 1)
    assert unit.run_id is not None

    await door.remove(added.id, LATER)
    await door.add(definition(at=LONG_AFTER))
    during = await door.version(added.id, 1)
    (lease,) = await database.leases.claim([unit.run_id], NODE, LEASE_SECONDS)
    await stored(database.events, end_run(lease))
    await door.add(definition(at=LONG_AFTER))

    assert lease.run.agent_version == 1
    assert during is not None
    assert (during.name, during.config) == (added.name, added.config)
    assert await door.version(added.id, 1) is None


async def test_a_nested_run_keeps_the_version_that_it_began_with(database: Database) -> None:
    door = database.definitions(LOCAL_TENANT, CIPHER)
    added = definition()
    await door.add(added)
    lease = await make_lease(database, await make_branch(database))
    key = StepKey("1", StepKind.NESTED_RUN, added.id, "hash")

    await stored(database.events, held(lease, changes=[BeginStep(lease.run.id, key, "trn_1", 1)]))
    await door.remove(added.id, LATER)
    await door.add(definition(at=LONG_AFTER))
    during = await door.version(added.id, 1)
    steps = await database.runs.steps(lease.run.id)
    await stored(database.events, end_run(lease))
    await door.add(definition(at=LONG_AFTER))

    assert [step.agent_version for step in steps] == [1]
    assert during is not None
    assert await door.version(added.id, 1) is None


async def test_the_runs_of_another_tenant_keep_nothing(database: Database) -> None:
    door = database.definitions(OTHER, CIPHER)
    added = definition()
    await door.add(added)
    await run_with(database, added.id, 1)

    await door.remove(added.id, LATER)
    await door.add(definition(at=LONG_AFTER))

    assert await door.version(added.id, 1) is None
