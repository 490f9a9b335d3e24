"""Proof that an answer which was refused has changed nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.edge.rows import count_rows
from tests.harness.client import Client
from tests.harness.conversation import open_questions
from tests.harness.process import ServerProcess

_TABLES = (
    "sessions",
    "branches",
    "runs",
    "leases",
    "messages",
    "steps",
    "interactions",
    "interrupts",
    "session_state",
    "branch_state",
    "events",
)


@asynccontextmanager
async def nothing_changes(server: ServerProcess, client: Client, *places: tuple[str, str]) -> AsyncIterator[None]:
    """Compare all row counts, and the logs and open questions of branches, before and after the block.

    Nothing else may go on at this server meanwhile.
    """
    before = await _everything(server, client, places)
    yield
    assert before == await _everything(server, client, places)


async def _everything(server: ServerProcess, client: Client, places: Sequence[tuple[str, str]]) -> dict[str, Any]:
    logs = {place: await client.log_text(*place) for place in places}
    questions = {place: await open_questions(client, *place) for place in places}
    return {"rows": await count_rows(server.database_url, _TABLES), "logs": logs, "questions": questions}
