"""Interrupts that come in at another server than the one that holds the run, which only the database tells of."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Talk

# Its run ends with one transaction a second after it has begun.
QUIET = """
import asyncio

import hosting


@hosting.agent("quiet")
async def quiet(context):
    await asyncio.sleep(1)
"""


@pytest.fixture
async def pair(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster, tmp_path: Path
) -> AsyncIterator[tuple[Client, Client, str]]:
    """Clients of two servers on one database."""
    url = await postgres.create_database_async()
    # They look at their runs' interrupts as often as they sweep, and wait for a lock as long as a lease allows.
    (tmp_path / "quiet.py").write_text(QUIET)
    servers = [make_server(url, "quiet.py", lease_seconds=20, sweep_seconds=0.1, tops_seconds=0.1) for _ in range(2)]
    for server in servers:
        server.start()
    async with Client(servers[0].url) as one, Client(servers[1].url) as other:
        yield one, other, url


async def test_a_run_ends_that_is_interrupted_at_another_server(pair: tuple[Client, Client, str]) -> None:
    one, other, url = pair
    talk = await Talk.begin(one)
    await talk.say("/permission")
    await talk.asked()
    elsewhere = Talk(other, talk.session)

    async with one.feed(talk.session) as feed:
        answer = await elsewhere.interrupt(reason="Enough.")
        frames = [frame.json for frame in await feed.until(completed)]
    log = await talk.idle()

    assert answer.status_code == 202
    assert (frames[-1]["status"], frames[-1]["reason"]) == ("cancelled", "Enough.")
    assert await elsewhere.log() == log
    assert await RawStore(url).run("SELECT * FROM interrupts") == []


async def test_an_interrupt_that_waits_for_the_end_of_its_run_comes_too_late_and_leaves_nothing(
    pair: tuple[Client, Client, str],
) -> None:
    one, other, url = pair
    one.agent = other.agent = "quiet"
    talk = await Talk.begin(one)
    await talk.say("Hi")
    await talk.logged(lambda event: event["type"] == "MESSAGE_TURN_STARTED")
    blocker = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))
    try:
        held = blocker.transaction()
        await held.start()
        await blocker.execute("SELECT key FROM branches WHERE session_id = $1 FOR UPDATE", talk.session)
        await _waiting(talk, url, 1)
        interrupting = asyncio.create_task(Talk(other, talk.session).interrupt())
        await _waiting(talk, url, 2)
        await held.rollback()
    finally:
        await blocker.close()

    answer = await interrupting
    log = await talk.idle()

    assert (answer.status_code, answer.json().get("code")) == (409, "branch-run-not-active")
    assert log[-1]["status"] == "completed"
    assert await RawStore(url).run("SELECT * FROM interrupts") == []


async def _waiting(talk: Talk, url: str, count: int) -> None:
    """Wait until so many transactions stand in line for the branch."""

    async def in_line() -> int:
        return len(await RawStore(url).run("SELECT DISTINCT pid FROM pg_locks WHERE NOT granted"))

    await talk.until(in_line, lambda waiting: waiting == count, seconds=15)
