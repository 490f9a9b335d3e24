"""Sessions, branches, runs, messages and steps are stored by units, and read back as they are."""

from dataclasses import replace
from datetime import timedelta

from events.branches import Content, ReasoningContent, TextContent
from events.ids import AgentId, MessageId, RunId
from events.runs import RunStatus
from events.text import Role
from hosting.adapters.sql.database import Database
from hosting.domain.lease import Lease
from hosting.domain.message import Message, MessageState
from hosting.domain.run import Ending
from hosting.domain.scope import LOCAL_TENANT
from hosting.domain.session import Session
from hosting.domain.step import Step, StepKey, StepKind
from hosting.ports.units import AddSession, BeginStep, BeginTurn, CloseMessage, FinishStep, OpenMessage, StartRun
from tests.store.units import (
    LEASE_SECONDS,
    NODE,
    NOW,
    add_branch,
    add_session,
    end_run,
    held,
    make_branch,
    make_lease,
    new_branch,
    start_run,
    stored,
    user_message,
)


def answer(lease: Lease, message_id: str, *contents: Content, state: MessageState = MessageState.COMPLETE) -> Message:
    """Return a message of the assistant's."""
    return Message(MessageId(message_id), Role.ASSISTANT, contents, state, lease.run.id)


async def test_a_session_is_read_as_it_was_stored(database: Database) -> None:
    branch = new_branch("s1")
    metadata = {"title": "Grüße 🌿", "deep": [{"a": None, "b": [1, 2.5, True]}], "nul": "\x00"}

    await stored(database.events, add_session(branch, metadata))

    expected = Session(LOCAL_TENANT, branch.scope.session_id, NOW, NOW, metadata)
    assert expected == await database.tenant(LOCAL_TENANT).session(branch.scope.session_id)


async def test_a_branch_is_read_as_it_was_stored(database: Database) -> None:
    main = await make_branch(database)
    side = replace(
        new_branch("s1", "side"), name="Side", description="Seitenweg 🌿", tags=("a", "b"), metadata={"n": [1, None]}
    )

    await stored(database.events, add_branch(side))

    reads = database.tenant(LOCAL_TENANT)
    assert side == await reads.branch(side.scope.session_id, side.scope.branch_id)
    assert [main, side] == await reads.branches(side.scope.session_id)


async def test_sessions_are_listed_by_their_newest_activity(database: Database) -> None:
    reads = database.tenant(LOCAL_TENANT)
    branches = []
    for index in range(5):
        branch = new_branch(f"s{index}")
        unit = add_session(branch)
        at = NOW + timedelta(microseconds=index)
        unit.changes[0] = AddSession(Session(LOCAL_TENANT, branch.scope.session_id, at, at))
        await stored(database.events, unit)
        branches.append(branch)
    later = start_run(branches[1])
    (change,) = later.changes
    assert isinstance(change, StartRun)
    later.changes = [replace(change, started_at=NOW + timedelta(days=1))]

    await stored(database.events, later)

    assert [session.id for session in await reads.sessions(10, 0)] == ["s1", "s4", "s3", "s2", "s0"]
    assert [session.id for session in await reads.sessions(2, 1)] == ["s4", "s3"]
    assert await reads.sessions(10, 5) == []


async def test_a_run_is_read_as_it_was_stored_and_holds_the_branch(database: Database) -> None:
    branch = await make_branch(database)
    unit = start_run(branch, user_message("hello"))
    (change,) = unit.changes
    assert isinstance(change, StartRun)

    await stored(database.events, unit)

    reads = database.tenant(LOCAL_TENANT)
    assert change.run == await reads.run(branch.key, change.run.id)
    assert change.run == await reads.active_run(branch.key)
    assert await reads.run(branch.key, RunId("run_unknown")) is None


async def test_a_run_that_has_ended_frees_the_branch_and_tells_how_it_ended(database: Database) -> None:
    branch = await make_branch(database)
    reads = database.tenant(LOCAL_TENANT)
    first = await make_lease(database, branch)
    await stored(database.events, end_run(first, Ending(RunStatus.FAILED, "RunTimedOut", "Too slow 🌿.")))
    unit = start_run(branch, agent_id="other")
    await stored(database.events, unit)

    ended = await reads.run(branch.key, first.run.id)

    expected = replace(
        first.run,
        status=RunStatus.FAILED,
        completed_at=NOW,
        error_type="RunTimedOut",
        error_message="Too slow 🌿.",
    )
    assert expected == ended
    active = await reads.active_run(branch.key)
    assert active is not None
    assert [expected, active] == await reads.runs(branch.key, None)
    assert [active] == await reads.runs(branch.key, AgentId("other"))
    assert active.id == unit.run_id


async def test_a_turn_is_remembered_by_its_run(database: Database) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)

    await stored(database.events, held(lease, changes=[BeginTurn(lease.run.id, "trn_1", "trace")]))

    run = await database.tenant(LOCAL_TENANT).run(branch.key, lease.run.id)
    assert replace(lease.run, turn_id="trn_1", trace_id="trace") == run


async def test_messages_are_told_in_order_and_only_once_they_have_ended(database: Database) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)
    run_id = lease.run.id
    whole = answer(lease, "m_whole", ReasoningContent(text="hm\x00"), TextContent(text="yes 🌿"))
    cut = answer(lease, "m_cut", TextContent(text="ye"), state=MessageState.INTERRUPTED)
    dropped = answer(lease, "m_dropped", TextContent(text="y"), state=MessageState.DISCARDED)
    ids = ("m_whole", "m_cut", "m_dropped", "m_open")
    await stored(database.events, held(lease, changes=[OpenMessage(run_id, MessageId(each)) for each in ids]))
    opened = await database.runs.open_messages(run_id)

    await stored(database.events, held(lease, changes=[CloseMessage(each) for each in (whole, cut, dropped)]))

    assert list(ids) == [message.id for message in opened]
    assert {MessageState.OPEN} == {message.state for message in opened}
    hello, *answers = await database.runs.messages(branch.key)
    assert (hello.text, hello.role) == ("hello", Role.USER)
    assert [whole, cut] == answers
    assert [message.id for message in await database.runs.open_messages(run_id)] == ["m_open"]


async def test_a_message_is_opened_and_closed_in_one_unit(database: Database) -> None:
    branch = await make_branch(database)
    lease = await make_lease(database, branch)
    whole = answer(lease, "m", TextContent(text="yes"))

    await stored(database.events, held(lease, changes=[OpenMessage(lease.run.id, whole.id), CloseMessage(whole)]))

    assert [whole] == (await database.runs.messages(branch.key))[1:]


async def test_a_branch_counts_the_messages_that_are_part_of_the_conversation(database: Database) -> None:
    branch = await make_branch(database)
    await stored(database.events, start_run(branch, user_message("b\n🌿"), user_message("a" * 300)))
    (lease,) = await database.leases.claim(await database.leases.unowned(1), NODE, LEASE_SECONDS)
    kept = answer(lease, "m1", TextContent(text="yes"))
    dropped = answer(lease, "m2", TextContent(text="y"), state=MessageState.DISCARDED)
    changes = [OpenMessage(lease.run.id, kept.id), OpenMessage(lease.run.id, dropped.id)]

    await stored(database.events, held(lease, changes=[*changes, CloseMessage(kept), CloseMessage(dropped)]))

    read = await database.tenant(LOCAL_TENANT).branch(branch.scope.session_id, branch.scope.branch_id)
    assert read is not None
    assert read.message_count == 3
    assert read.first_user_text == "b\n🌿"


async def test_steps_are_told_with_their_results(database: Database) -> None:
    lease = await make_lease(database, await make_branch(database))
    run_id = lease.run.id
    keys = [StepKey(place, StepKind.WORK, f"step {place} 🌿", "hash") for place in ("2", "1.1", "1")]

    await stored(database.events, held(lease, changes=[BeginStep(run_id, key) for key in keys]))
    await stored(
        database.events,
        held(lease, changes=[FinishStep(run_id, "1.1", b'"\\u0000"'), FinishStep(run_id, "1", b"null")]),
    )

    expected = {Step(keys[1], b'"\\u0000"'), Step(keys[0], None), Step(keys[2], b"null")}
    assert expected == set(await database.runs.steps(run_id))
    assert await database.runs.steps(RunId("run_unknown")) == []
