"""What operators ask of the fleet with a key is done once and as a whole, wherever the server dies meanwhile."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.crash.fatal import ACTING
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import Offered, item_within, offer
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent

KEYED = {"Idempotency-Key": "once"}


Serve = Callable[..., ServerProcess]


@pytest.fixture
def serve(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> Serve:
    """Makes a server that dies when it is told to."""
    return partial(make_server, database_url, ACTING, key_file=key_file, worker_api_key=SHARED_KEY)


async def test_a_dead_letter_whose_answer_was_lost_is_begun_anew_once_and_listed_no_more(serve: Serve) -> None:
    server = serve(worker_lease_seconds=0.3, sweep_seconds=0.1, worker_attempts=1).start()
    async with Client(server.url) as client:
        offered, worker = await _offered(client)
        item = await item_within(worker)
        assert (await client.ended(offered.session, offered.run))["status"] == "failed"
        path = f"/api/work/dead/{item['sessionId']}/requeue"
        await _lost(server, client, path, {}, at="after BRANCH_RUN_STARTED")

    async with Client(server.url) as client:
        again = await client.http.post(path, headers=KEYED)
        listed = (await client.http.get("/api/work/dead")).json()
        log = await client.log(offered.session)

    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert listed == {"items": []}
    assert [event["type"] for event in log].count("BRANCH_RUN_STARTED") == 2


async def test_a_session_is_killed_although_the_server_died_before_it_asked_its_run_to_end(serve: Serve) -> None:
    server = serve().start()
    async with Client(server.url) as client:
        offered, worker = await _offered(client)
        item = await item_within(worker)
        path = f"/api/workers/{worker.id}/mutations"
        killing = {"op": "session.kill", "params": {"sessionId": item["sessionId"]}}
        await _lost(server, client, path, killing, at="before interrupt")

    async with Client(server.url) as client:
        again = await client.http.post(path, json=killing, headers=KEYED)
        ended = await client.ended(offered.session, offered.run)

    assert again.status_code == 201
    assert ended["status"] == "cancelled"


async def _offered(client: Client) -> tuple[Offered, FleetWorker]:
    agent = await define_worker_agent(client.http)
    offered = await offer(client, agent)
    return offered, await FleetWorker.register(client.http)


async def _lost(server: ServerProcess, client: Client, path: str, body: object, *, at: str) -> None:
    """Send something to a server that dies of it, and start the next one."""
    (server.folder / "death").write_text(at)
    with pytest.raises(httpx.TransportError):
        await client.http.post(path, json=body, headers=KEYED)
    await asyncio.to_thread(server.wait)
    await asyncio.to_thread(server.start)
