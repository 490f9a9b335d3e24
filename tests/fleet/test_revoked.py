"""Workers whose key was revoked."""

import asyncio
from datetime import UTC, datetime

import httpx

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, bearer
from tests.harness.patience import Patience
from tests.harness.worker import FleetWorker


async def status_of_poll(http: httpx.AsyncClient, worker: FleetWorker) -> int:
    """Poll, and return the status."""
    return (await http.get(f"/api/workers/{worker.id}/poll", headers=worker.headers)).status_code


async def refused_in_time(http: httpx.AsyncClient, worker: FleetWorker) -> None:
    """Poll until that is refused."""
    async with asyncio.timeout(5):
        status = 200
        patience = Patience()
        while status == 200:
            status = await status_of_poll(http, worker)
            await patience.wait()
    assert status == 401


async def test_the_token_of_a_worker_whose_key_is_revoked_opens_nothing_until_another_key_stands_for_it(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    first, key = await gate.known_key("revokers", Role.WORKER)
    other = await gate.key("revokers", Role.WORKER)
    worker = await FleetWorker.register(local, key=key)
    before = await status_of_poll(local, worker)

    async with gate.keys() as stored:
        await stored.revoke(first.id, datetime.now(UTC))
    await refused_in_time(local, worker)

    path = f"/api/workers/{worker.id}/refresh-token"
    by_itself = await local.post(path, json={}, headers=worker.headers)
    by_other = await local.post(path, json={}, headers=bearer(other))
    worker.token = by_other.json()["runtimeToken"]
    assert (before, by_itself.status_code, by_other.status_code) == (200, 401, 200)
    assert await status_of_poll(local, worker) == 200
