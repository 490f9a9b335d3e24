"""B3: however many workers poll at once, every item is given once."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet.backlog import put_on_offer
from tests.fleet.conftest import SHARED_KEY
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker

MOST_SECONDS = 120

StartServer = Callable[[], ServerProcess]


@pytest.fixture
def start(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> StartServer:
    """Start a server once the work is there."""
    return lambda: make_server(database_url, key_file=key_file, worker_api_key=SHARED_KEY).start()


async def test_every_item_is_given_once_to_workers_that_poll_all_at_once(start: StartServer, database_url: str) -> None:
    await _claim_all(start, database_url, items=300, workers=20)


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_b3_ten_thousand_items_are_given_once_to_fifty_workers(start: StartServer, database_url: str) -> None:
    await _claim_all(start, database_url, items=10_000, workers=50)


async def _claim_all(start: StartServer, database_url: str, *, items: int, workers: int) -> None:
    await put_on_offer(database_url, items)
    async with Client(start().url) as client:
        fleet = [await FleetWorker.register(client.http, capacity=items) for _ in range(workers)]
        ledger: list[tuple[str, str]] = []

        async def work(worker: FleetWorker) -> None:
            while len(ledger) < items:
                ledger.extend((session, worker.id) for session in (await worker.poll())["claimedSessionIds"])

        began = time.monotonic()
        async with asyncio.timeout(MOST_SECONDS), asyncio.TaskGroup() as tasks:
            for worker in fleet:
                tasks.create_task(work(worker))
        seconds = time.monotonic() - began
        shown = (await client.http.get("/api/workers")).json()

    distinct = len({session for session, _ in ledger})
    kind = database_url.partition("+")[0]
    print(f"B3 {kind}: {items} items, {workers} workers: {distinct} distinct claims in {seconds:.1f} s")
    assert (len(ledger), distinct) == (items, items)
    # The server has counted as the workers have.
    assert sum(each["sessionCount"] for each in shown["workers"]) == items
    assert shown["summary"]["queueLength"] == 0
