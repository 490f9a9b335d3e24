"""`branchline work`: what was given up, and its second life."""

import asyncio
import sys
from collections.abc import Callable

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent


@pytest.fixture
def sqlite_server(make_server: Callable[..., ServerProcess], sqlite_url: str) -> ServerProcess:
    """A server that gives up at once."""
    return make_server(sqlite_url, worker_lease_seconds=0.3, sweep_seconds=0.1, worker_attempts=1).start()


async def test_what_was_given_up_is_printed_and_begun_anew(sqlite_client: Client) -> None:
    sqlite_client.agent = agent = await define_worker_agent(sqlite_client.http)
    session = await sqlite_client.session()
    accepted = await sqlite_client.accepted(session, "A hard one.")
    worker = await FleetWorker.register(sqlite_client.http)
    item = (await worker.claimed())["sessionId"]
    await sqlite_client.ended(session, accepted["runtimeRunId"])

    listed = await work(sqlite_client, "dead")
    requeued = await work(sqlite_client, "requeue", item)
    twice = await work(sqlite_client, "requeue", item)

    heading, row = listed[1].splitlines()
    assert heading.split()[0] == "ID"
    assert row.split()[:5] == [item, agent, session, "main", "1"]
    run = await sqlite_client.run(session, requeued[1].strip())
    assert (requeued[0], run["status"]) == (0, "active")
    assert twice[0] == 1
    assert "only what is dead can be requeued, and once" in " ".join(twice[2].split())


async def work(client: Client, *words: str) -> tuple[int, str, str]:
    """Run the command; return its status and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hosting", "work", *words, "--url", client.base, stdout=-1, stderr=-1
    )
    said, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode(), errors.decode()
