"""Nothing of one tenant can be seen through another one's door, whatever ids it knows."""

from hosting.adapters.sql.database import Database
from hosting.domain.scope import LOCAL_TENANT, TenantId
from tests.store.units import add_branch, make_branch, make_run, new_branch, stored

OTHER = TenantId("other")


async def test_a_tenants_rows_are_not_visible_through_anothers_door(database: Database) -> None:
    branch = await make_branch(database, "s1")
    run_id = await make_run(database, branch)
    session_id, branch_id = branch.scope.session_id, branch.scope.branch_id

    other = database.tenant(OTHER)

    assert await other.session(session_id) is None
    assert await other.sessions(100, 0) == []
    assert await other.branch(session_id, branch_id) is None
    assert await other.branches(session_id) == []
    assert await other.run(branch.key, run_id) is None
    assert await other.runs(branch.key, None) == []
    assert await other.active_run(branch.key) is None


async def test_two_tenants_may_use_the_same_ids(database: Database) -> None:
    mine, theirs = await make_branch(database, "s1"), await make_branch(database, "s1", OTHER)
    side = new_branch("s1", "side", OTHER)

    await stored(database.events, add_branch(side))

    assert [mine] == await database.tenant(LOCAL_TENANT).branches(mine.scope.session_id)
    assert [theirs, side] == sorted(
        await database.tenant(OTHER).branches(mine.scope.session_id), key=lambda branch: branch.scope.branch_id
    )
    assert mine.epoch != theirs.epoch
    for tenant in (LOCAL_TENANT, OTHER):
        assert [session.id for session in await database.tenant(tenant).sessions(10, 0)] == ["s1"]


async def test_a_run_of_one_tenant_leaves_the_same_branch_of_another_free(database: Database) -> None:
    mine, theirs = await make_branch(database, "s1"), await make_branch(database, "s1", OTHER)

    await make_run(database, mine)
    await make_run(database, theirs)

    assert len(await database.tenant(OTHER).runs(theirs.key, None)) == 1
