"""Units of work as the runtime would make them, and the database they are for."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from events.branches import BranchCreated, TextContent
from events.catalog import Catalog
from events.event import Event
from events.ids import AgentId, BranchId, IdSource, MessageId, RunId, SessionId
from events.runs import BranchRunCompleted, BranchRunStarted, RunStatus
from events.serializer import Encoded, Serializer, Stamp
from events.text import Role, TextDelta
from hosting.adapters.sql.database import Database, open_database
from hosting.domain.branch import Branch
from hosting.domain.lease import Holder, Lease
from hosting.domain.message import Message
from hosting.domain.queued import QueuedRun
from hosting.domain.run import COMPLETED, Ending, Run
from hosting.domain.scope import LOCAL_TENANT, BranchKey, BranchScope, NodeId, TenantId
from hosting.domain.session import Session
from hosting.ports.store import EventStore, LogPage
from hosting.ports.units import AddBranch, AddSession, Committed, EndRun, RunChange, StartRun, Unit

IDS = IdSource()
SERIALIZER = Serializer(Catalog.standard())
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
STAMP = Stamp(SessionId("s"), BranchId("b")).at(NOW)
NODE = NodeId("node-1")
LEASE_SECONDS = 30.0
HOLDER = Holder(NODE, LEASE_SECONDS)


@asynccontextmanager
async def opened(url: str, *, lease_seconds: float = 5.0, **more: Any) -> AsyncIterator[Database]:
    """Open a database for a while."""
    async with AsyncExitStack() as stack:
        yield await open_database(url, stack, lease_seconds=lease_seconds, **more)


async def execute(url: str, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Do something to a database behind the server's back."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return [tuple(row) for row in result.all()] if result.returns_rows else []
    finally:
        await engine.dispose()


def encoded(event: Event) -> Encoded:
    """Return an event that lacks only its place."""
    return SERIALIZER.encode(event, STAMP)


def note(said: str) -> Encoded:
    """Return an event that says something."""
    return encoded(TextDelta(text=said, message_id=MessageId("m")))


def notes(*said: str) -> list[Encoded]:
    """Return events that say something each."""
    return [note(text) for text in said]


def said(lines: Sequence[bytes]) -> list[str]:
    """Return what events say."""
    return [msgspec.json.decode(line).get("text", "") for line in lines]


def new_branch(session_id: str = "s1", branch_id: str = "main", tenant: TenantId = LOCAL_TENANT) -> Branch:
    """Return a branch that is yet to be stored."""
    return Branch(
        key=BranchKey(IDS.row_key()),
        scope=BranchScope(tenant, SessionId(session_id), BranchId(branch_id)),
        epoch=IDS.epoch(),
        head=1,
        created_at=NOW,
        last_activity=NOW,
    )


def add_branch(branch: Branch) -> Unit:
    """Return the unit that makes a branch of a session that is there."""
    created = BranchCreated(name=branch.name, created_at=NOW)
    return Unit(branch.scope.tenant, branch.key, changes=[AddBranch(branch)], events=[encoded(created)])


def add_session(branch: Branch, metadata: dict[str, Any] | None = None) -> Unit:
    """Return the unit that makes a session with this branch."""
    session = Session(branch.scope.tenant, branch.scope.session_id, NOW, NOW, metadata or {})
    unit = add_branch(branch)
    unit.changes.insert(0, AddSession(session))
    return unit


def add_notes(branch: Branch, *texts: str) -> Unit:
    """Return a unit that appends events without a lease."""
    return Unit(branch.scope.tenant, branch.key, events=notes(*texts))


def user_message(text: str, message_id: str | None = None) -> Message:
    """Return a message of the user's."""
    return Message(MessageId(message_id or IDS.message()), Role.USER, (TextContent(text=text),))


def start_run(branch: Branch, *messages: Message, run_id: RunId | None = None, agent_id: str = "demo") -> Unit:
    """Return the unit that starts a run on a branch."""
    run_id = run_id or IDS.run()
    given = tuple(replace(message, run_id=run_id) for message in messages or (user_message("hello"),))
    run = Run(
        id=run_id,
        branch_key=branch.key,
        scope=branch.scope,
        agent_id=AgentId(agent_id),
        message_id=given[-1].id,
        status=RunStatus.ACTIVE,
        started_at=NOW,
        input=msgspec.json.encode([message.id for message in given]),
        config=b"{}",
    )
    started = BranchRunStarted(runtime_run_id=run_id, agent_id=run.agent_id, started_at=NOW, message_id=run.message_id)
    changes = [StartRun(run, NOW, given)]
    return Unit(branch.scope.tenant, branch.key, run_id, changes=[*changes], events=[encoded(started)])


def held(lease: Lease, *texts: str, changes: Sequence[RunChange] = ()) -> Unit:
    """Return a unit of whoever holds a lease."""
    run = lease.run
    return Unit(run.scope.tenant, run.branch_key, run.id, lease.fence, [*changes], notes(*texts))


def end_run(lease: Lease, ending: Ending = COMPLETED) -> Unit:
    """Return the unit that ends a run."""
    run = lease.run
    unit = held(lease, changes=[EndRun(run.id, ending, NOW, HOLDER, nobody_waits)])
    completed = BranchRunCompleted(runtime_run_id=run.id, agent_id=run.agent_id, status=ending.status, completed_at=NOW)
    unit.events.append(encoded(completed))
    return unit


def nobody_waits(queued: QueuedRun, waiting: Sequence[QueuedRun]) -> list[Encoded]:
    """Tell nothing of a run that leaves the queue."""
    return []


async def stored(store: EventStore, unit: Unit) -> Committed:
    """Commit a unit that must succeed."""
    (outcome,) = await store.commit([unit])
    assert isinstance(outcome, Committed), outcome
    return outcome


async def make_branch(database: Database, session_id: str = "s1", tenant: TenantId = LOCAL_TENANT) -> Branch:
    """Store a session and return its branch `main`."""
    branch = new_branch(session_id, tenant=tenant)
    await stored(database.events, add_session(branch))
    return branch


async def make_run(database: Database, branch: Branch) -> RunId:
    """Start a run and return its id."""
    unit = start_run(branch)
    await stored(database.events, unit)
    assert unit.run_id is not None
    return unit.run_id


async def make_lease(database: Database, branch: Branch, node: NodeId = NODE) -> Lease:
    """Start a run and claim it."""
    (lease,) = await database.leases.claim([await make_run(database, branch)], node, LEASE_SECONDS)
    return lease


async def pages(database: Database, branch: Branch, after: int = 0, upto: int | None = None) -> list[LogPage]:
    """Read a log as its pages."""
    return [page async for page in database.log.pages(branch.key, after, upto)]


async def log(database: Database, branch: Branch, after: int = 0, upto: int | None = None) -> list[bytes]:
    """Read a log as its lines, and see that it has no hole."""
    read = await pages(database, branch, after, upto)
    places = [page.first + index for page in read for index in range(len(page.lines))]
    lines = [line for page in read for line in page.lines]
    assert places == list(range(after + 1, after + 1 + len(lines)))
    assert places == [msgspec.json.decode(line)["sequenceNumber"] for line in lines]
    return lines
