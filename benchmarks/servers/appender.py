"""The writer and the store without the rest: `python -m benchmarks.servers.appender DATABASE_URL`, told by lines."""

import asyncio
import sqlite3
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Literal

import msgspec
import uvloop

from benchmarks.disk import percentile
from benchmarks.tokens import MESSAGE_ID, SERIALIZER, token_lines
from events.branches import BranchCreated, TextContent
from events.ids import AgentId, BranchId, IdSource, SessionId
from events.position import Position
from events.runs import RunStatus
from events.serializer import Stamp
from events.text import Role, TextDelta
from hosting.adapters.sql.database import open_database
from hosting.domain.branch import Branch
from hosting.domain.lease import Holder, Lease
from hosting.domain.message import Message
from hosting.domain.run import Run
from hosting.domain.scope import LOCAL_TENANT, BranchKey, BranchScope, NodeId
from hosting.domain.session import Session
from hosting.ports.clock import system_clock
from hosting.ports.units import AddBranch, AddSession, Committed, StartRun, Unit
from hosting.runtime.pen import Pen
from hosting.runtime.rings import Rings
from hosting.runtime.writer import Writer

_IDS = IdSource()
_EVENT = TextDelta(text="token ", message_id=MESSAGE_ID)
_LEASE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class AppendOrder:
    """So many events by each writer, one at a time; at `rate` a second each, or as soon as the last is durable."""

    program: Literal["subject", "autocommit"]
    writers: int
    events: int
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Appended:
    """What came of it: durable events a second, and seconds from an append to its being durable."""

    per_second: float
    p50: float
    p99: float


async def _append(pens: list[Pen], order: AppendOrder) -> Appended:
    taken: list[float] = []
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for index, pen in enumerate(pens[: order.writers]):
            delay = index / order.writers / order.rate if order.rate else 0.0
            tasks.create_task(_write(pen, order, delay, taken))
    return _appended(order, time.perf_counter() - began, taken)


async def _write(pen: Pen, order: AppendOrder, delay: float, taken: list[float]) -> None:
    starts = time.perf_counter() + delay
    for index in range(order.events):
        if order.rate:
            await asyncio.sleep(max(0.0, starts + index / order.rate - time.perf_counter()))
        began = time.perf_counter()
        pen.put(_EVENT)
        await pen.settle()
        taken.append(time.perf_counter() - began)


def _autocommit(path: str, order: AppendOrder) -> Appended:
    """Commit the same events one by one, with nothing but the driver."""
    line = token_lines(Position("0123456789ab", 1), 1)[0]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS log (number INTEGER PRIMARY KEY, branch TEXT, line BLOB)")
    taken = []
    began = time.perf_counter()
    for _ in range(order.events):
        each = time.perf_counter()
        connection.execute("INSERT INTO log (branch, line) VALUES ('main', ?)", (line,))
        taken.append(time.perf_counter() - each)
    seconds = time.perf_counter() - began
    connection.close()
    return _appended(order, seconds, taken)


def _appended(order: AppendOrder, seconds: float, taken: list[float]) -> Appended:
    taken.sort()
    return Appended(len(taken) / seconds, percentile(taken, 0.5), percentile(taken, 0.99))


async def _pen(writer: Writer, number: int) -> Pen:
    """Return what writes on a run of its own."""
    now = system_clock()
    branch = Branch(
        key=BranchKey(_IDS.row_key()),
        scope=BranchScope(LOCAL_TENANT, SessionId(f"appends-{number}"), BranchId("main")),
        epoch=_IDS.epoch(),
        head=1,
        created_at=now,
        last_activity=now,
    )
    encoded = SERIALIZER.encode(
        BranchCreated(name=None, created_at=now), Stamp(branch.scope.session_id, branch.scope.branch_id).at(now)
    )
    session = Session(LOCAL_TENANT, branch.scope.session_id, now, now, {})
    await writer.append_to(
        Unit(LOCAL_TENANT, branch.key, changes=[AddSession(session), AddBranch(branch)], events=[encoded])
    )
    run_id = _IDS.run()
    message = Message(_IDS.message(), Role.USER, (TextContent(text="go"),), run_id=run_id)
    run = Run(
        id=run_id,
        branch_key=branch.key,
        scope=branch.scope,
        agent_id=AgentId("appender"),
        message_id=message.id,
        status=RunStatus.ACTIVE,
        started_at=now,
        input=msgspec.json.encode([message.id]),
        config=b"{}",
    )
    holder = Holder(NodeId("appender"), _LEASE_SECONDS)
    outcome = await writer.append_to(
        Unit(LOCAL_TENANT, branch.key, run_id, changes=[StartRun(run, now, (message,), holder)])
    )
    assert isinstance(outcome, Committed)
    return Pen(Lease(run, (message,), holder.node, outcome.fence, attempt=1), writer, SERIALIZER, system_clock)


async def _serve(url: str, writers: int) -> None:
    sys.setswitchinterval(0.0005)
    async with AsyncExitStack() as stack:
        database = await open_database(url, stack, lease_seconds=_LEASE_SECONDS)
        writer = Writer(database.events, Rings(), shards=database.writers)
        work = asyncio.create_task(writer.run(), name="writer that is measured")
        pens = [await _pen(writer, number) for number in range(writers)]
        path = f"{url.partition('///')[2]}.bare"
        while told := await asyncio.to_thread(sys.stdin.buffer.readline):
            order = msgspec.json.decode(told, type=AppendOrder)
            subject = order.program == "subject"
            appended = await _append(pens, order) if subject else await asyncio.to_thread(_autocommit, path, order)
            sys.stdout.buffer.write(msgspec.json.encode(appended) + b"\n")
            sys.stdout.buffer.flush()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], int(sys.argv[2])))
