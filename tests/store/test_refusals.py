"""A unit that is refused or broken changes nothing, and hinders no other unit of its batch."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from events.ids import RunId, SessionId
from events.runs import RunStatus
from hosting.adapters.sql.database import Database
from hosting.domain.branch import Branch
from hosting.domain.errors import StorageUnavailable
from hosting.domain.lease import Lease
from hosting.domain.run import Ending
from hosting.domain.scope import LOCAL_TENANT, BranchKey
from hosting.domain.step import StepKey, StepKind
from hosting.ports.units import BeginStep, Committed, EndRun, Failed, FinishStep, Refusal, Unit
from tests.store.units import (
    HOLDER,
    LEASE_SECONDS,
    NODE,
    NOW,
    add_branch,
    add_notes,
    add_session,
    end_run,
    execute,
    held,
    log,
    make_branch,
    make_lease,
    make_run,
    new_branch,
    nobody_waits,
    note,
    opened,
    said,
    start_run,
    stored,
    user_message,
)

TABLES = ("sessions", "branches", "runs", "messages", "steps", "leases", "events")


async def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything a database holds."""
    return {table: sorted(await execute(url, f"SELECT * FROM {table}"), key=repr) for table in TABLES}


class Scene:
    """A database with a session whose branch `main` is busy, and units that are to be refused."""

    def __init__(self, database: Database, busy: Branch, free: Branch, lease: Lease) -> None:
        self.database, self.busy, self.free, self.lease = database, busy, free, lease

    def taken_session(self) -> Unit:
        return add_session(new_branch("s1", "another"))

    def taken_branch(self) -> Unit:
        return add_branch(new_branch("s1", "main"))

    def new_session_with_taken_branch(self) -> Unit:
        unit = add_session(new_branch("s9", "main"))
        unit.changes += add_branch(new_branch("s1", "main")).changes
        return unit

    def busy_branch(self) -> Unit:
        return start_run(self.busy, user_message("a"), user_message("b"))

    def taken_message(self) -> Unit:
        return start_run(self.free, user_message("new"), user_message("again", "msg_taken"))

    def missing_branch(self) -> Unit:
        return add_notes(new_branch("s1", "missing"), "lost")

    def run_on_a_missing_branch(self) -> Unit:
        return start_run(new_branch("s1", "missing"))

    def branch_of_a_missing_session(self) -> Unit:
        return add_branch(new_branch("no-such-session"))

    def old_fence(self) -> Unit:
        old = replace(self.lease, fence=self.lease.fence - 1)
        key = StepKey("1", StepKind.WORK, "step", "hash")
        end = EndRun(self.lease.run.id, Ending(RunStatus.FAILED), NOW, HOLDER, nobody_waits)
        return held(old, "late", changes=[BeginStep(self.lease.run.id, key), end])

    def coming_fence(self) -> Unit:
        return held(replace(self.lease, fence=self.lease.fence + 1), "early")

    def lease_of_a_missing_branch(self) -> Unit:
        return Unit(LOCAL_TENANT, BranchKey(1), self.lease.run.id, self.lease.fence, events=[note("lost")])


REFUSED: list[tuple[Callable[[Scene], Unit], Refusal]] = [
    (Scene.taken_session, Refusal.SESSION_EXISTS),
    (Scene.taken_branch, Refusal.BRANCH_EXISTS),
    (Scene.new_session_with_taken_branch, Refusal.BRANCH_EXISTS),
    (Scene.busy_branch, Refusal.RUN_ACTIVE),
    (Scene.taken_message, Refusal.MESSAGE_EXISTS),
    (Scene.missing_branch, Refusal.BRANCH_MISSING),
    (Scene.run_on_a_missing_branch, Refusal.BRANCH_MISSING),
    (Scene.branch_of_a_missing_session, Refusal.SESSION_MISSING),
    (Scene.old_fence, Refusal.FENCED),
    (Scene.coming_fence, Refusal.FENCED),
    (Scene.lease_of_a_missing_branch, Refusal.FENCED),
]


@pytest.fixture
async def scene(database: Database) -> Scene:
    """The scene of each refusal; the message `msg_taken` is on the free branch."""
    busy, free = await make_branch(database, "s1"), new_branch("s1", "free")
    await stored(database.events, add_branch(free))
    before = start_run(free, user_message("first", "msg_taken"))
    await stored(database.events, before)
    (lease,) = await database.leases.claim([RunId(before.run_id or "")], NODE, LEASE_SECONDS)
    await stored(database.events, end_run(lease))
    return Scene(database, busy, free, await make_lease(database, busy))


async def test_a_refused_unit_changes_nothing(scene: Scene, database_url: str, subtests: pytest.Subtests) -> None:
    before = await contents(database_url)

    for make, refusal in REFUSED:
        with subtests.test(make.__name__):
            assert [refusal] == await scene.database.events.commit([make(scene)])
            assert before == await contents(database_url)


async def test_a_refused_unit_hinders_no_other_of_its_batch(scene: Scene, subtests: pytest.Subtests) -> None:
    for number, (make, refusal) in enumerate(REFUSED):
        with subtests.test(make.__name__):
            starting = await make_branch(scene.database, f"starting-{number}")
            leased = await make_branch(scene.database, f"leased-{number}")
            lease = await make_lease(scene.database, leased)
            last = await make_branch(scene.database, f"last-{number}")

            outcomes = await scene.database.events.commit(
                [start_run(starting), held(lease, "leased"), make(scene), add_notes(last, "last")]
            )

            assert outcomes[2] is refusal
            assert [Committed] * 3 == [type(outcome) for outcome in (*outcomes[:2], outcomes[3])]
            assert said(await log(scene.database, starting)) == ["", ""]
            assert said(await log(scene.database, leased)) == ["", "", "leased"]
            assert said(await log(scene.database, last)) == ["", "last"]


def broken_guarded(scene: Scene) -> Unit:
    """Return a unit for a branch without an epoch: a mistake that the database refuses by itself."""
    return add_branch(without_epoch("s1"))


def without_epoch(session: str) -> Branch:
    nothing: Any = None
    return replace(new_branch(session, "broken"), epoch=nothing)


def broken_leased(scene: Scene) -> Unit:
    """Return a unit that begins one step twice."""
    key = StepKey("1", StepKind.WORK, "step", "hash")
    return held(scene.lease, "twice", changes=[BeginStep(scene.lease.run.id, key)] * 2)


@pytest.mark.parametrize("make", [broken_guarded, broken_leased])
async def test_a_unit_that_cannot_be_stored_fails_alone(
    scene: Scene, database_url: str, make: Callable[[Scene], Unit]
) -> None:
    before = await contents(database_url)

    (alone,) = await scene.database.events.commit([make(scene)])

    assert isinstance(alone, Failed)
    assert before == await contents(database_url)

    first, last = await make_branch(scene.database, "s2"), await make_branch(scene.database, "s3")
    lease = await make_lease(scene.database, await make_branch(scene.database, "s4"))
    outcomes = await scene.database.events.commit(
        [start_run(first), make(scene), held(lease, "leased"), add_notes(last, "last"), scene.busy_branch()]
    )

    assert [Committed, Failed, Committed, Committed, Refusal] == [type(outcome) for outcome in outcomes]
    assert said(await log(scene.database, first)) == ["", ""]
    assert said(await log(scene.database, last)) == ["", "last"]


async def test_what_was_stored_before_the_disk_was_full_is_not_told_as_lost(sqlite_url: str) -> None:
    def make_small(connection: Any) -> None:
        connection.execute("PRAGMA max_page_count=200").close()

    async with opened(sqlite_url, on_connect=make_small) as database:
        branch, other = await make_branch(database, "s1"), await make_branch(database, "s2")
        # Branches are locked in the order of their keys: the mistake is met before the disk is full.
        mistake = add_branch(replace(without_epoch("s1"), key=BranchKey(1)))

        outcomes = await database.events.commit(
            [add_notes(branch, "small"), mistake, add_notes(other, "huge" * 300_000)]
        )

        assert isinstance(outcomes[0], Committed)
        assert isinstance(outcomes[2], Failed)
        assert isinstance(outcomes[2].error, StorageUnavailable)
        assert said(await log(database, branch)) == ["", "small"]
        assert said(await log(database, other)) == [""]


async def test_a_full_disk_refuses_the_batch_and_takes_the_next(sqlite_url: str) -> None:
    def make_small(connection: Any) -> None:
        connection.execute("PRAGMA max_page_count=200").close()

    async with opened(sqlite_url, on_connect=make_small) as database:
        branch, other = await make_branch(database, "s1"), await make_branch(database, "s2")

        with pytest.raises(StorageUnavailable):
            await database.events.commit([add_notes(branch, "lost"), add_notes(other, "huge" * 300_000)])
        await stored(database.events, add_notes(branch, "kept"))

        assert said(await log(database, branch)) == ["", "kept"]
        assert said(await log(database, other)) == [""]


async def test_a_step_is_finished_only_under_its_fence(scene: Scene) -> None:
    lease, run_id = scene.lease, scene.lease.run.id
    key = StepKey("1", StepKind.WORK, "step", "hash")
    await stored(scene.database.events, held(lease, changes=[BeginStep(run_id, key)]))

    outcomes = await scene.database.events.commit(
        [held(replace(lease, fence=lease.fence - 1), changes=[FinishStep(run_id, "1", b'"late"')])]
    )

    assert outcomes == [Refusal.FENCED]
    assert [step.result for step in await scene.database.runs.steps(run_id)] == [None]


async def test_an_empty_batch_is_nothing(database: Database) -> None:
    assert list(await database.events.commit([])) == []


async def test_a_branch_that_was_refused_has_no_log(database: Database) -> None:
    branch = await make_branch(database)
    await make_run(database, branch)
    before = await log(database, branch)

    await database.events.commit([start_run(branch)])

    assert before == await log(database, branch)
    assert await database.log.head(branch.key) == len(before)
    assert await database.tenant(LOCAL_TENANT).session(SessionId("s9")) is None
    assert msgspec.json.decode(before[-1])["type"] == "BRANCH_RUN_STARTED"
