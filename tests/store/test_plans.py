"""What is asked with every poll and every sweep is found by an index, however many rows there have been."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event

from hosting.adapters.sql import fleet_tables
from hosting.adapters.sql.folding import SqlFolding
from hosting.adapters.sql.inbox import SqlInbox
from hosting.adapters.sql.leases import SqlLeases
from hosting.adapters.sql.reading import Query, T
from hosting.adapters.sql.tables import metadata
from hosting.adapters.sql.watching import SqlWatch
from hosting.adapters.sql.work_queue import SqlWorkQueue
from hosting.domain.scope import LOCAL_TENANT
from hosting.domain.work_item import WorkerId
from hosting.domain.worker import Worker

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORKER = Worker(WorkerId("wkr_1"), LOCAL_TENANT, "reg_1", "host", 5, NOW, NOW, projects=("web",))


class InMemory:
    """A database of no rows, as something to run work in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def run(self, query: Query[T]) -> T:
        with self._engine.begin() as connection:
            return query(connection)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A database with all tables and one worker."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    row = {
        "id": WORKER.id,
        "tenant": WORKER.tenant,
        "registration_id": "reg_1",
        "hostname": "host",
        "capacity": 5,
        "projects": b"[]",
        "agents": b"[]",
        "capabilities": b"[]",
        "status": "active",
        "active_count": 0,
        "raw": b"{}",
        "registered_at": 0,
        "last_heartbeat": 0.0,
    }
    with engine.begin() as connection:
        connection.execute(fleet_tables.workers.insert(), row)
    yield engine
    engine.dispose()


@pytest.fixture
def plans(engine: Engine) -> list[str]:
    """How SQLite goes about what is asked from now on, a step a line."""
    steps: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection: Connection, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            steps.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    return steps


def queue_in(memory: InMemory) -> SqlWorkQueue:
    """Return the queue in a database."""
    return SqlWorkQueue(memory, memory)


QUESTIONS: dict[str, tuple[str, Callable[[InMemory], Awaitable[object]]]] = {
    "strays": ("work_items", lambda memory: queue_in(memory).strays(5)),
    "pending": ("work_items", lambda memory: queue_in(memory).pending(LOCAL_TENANT)),
    "held": ("work_items", lambda memory: queue_in(memory).held(LOCAL_TENANT, WORKER.id)),
    "dead": ("work_items", lambda memory: queue_in(memory).dead(LOCAL_TENANT, 5)),
    "claim": ("work_items", lambda memory: queue_in(memory).claim(WORKER, 5, 120.0)),
    "unowned": ("runs", lambda memory: SqlLeases(memory).unowned(5)),
    "untold": ("inbox_messages", lambda memory: SqlInbox(memory, memory).untold(5)),
    "folding": ("branches", lambda memory: SqlFolding(memory, memory, Random(1)).fold()),
    "overdue": ("interactions", lambda memory: SqlWatch(memory).overdue(5)),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_no_question_looks_at_every_row(engine: Engine, plans: list[str], question: str) -> None:
    table, ask = QUESTIONS[question]

    await ask(InMemory(engine))

    assert any(table in step for step in plans)
    assert [step for step in plans if step.startswith(f"SCAN {table}") and "INDEX" not in step] == []
