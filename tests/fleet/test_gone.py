"""Workers that are not registered any more."""

import asyncio

import httpx

from hosting.domain.identity import Role
from tests.fleet.gate import Gate
from tests.harness.patience import Patience
from tests.harness.worker import FleetWorker


async def test_the_token_of_a_worker_that_has_gone_opens_only_what_tells_it_so(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    worker = await FleetWorker.register(local, key=await gate.key("leavers", Role.WORKER))
    assert (await local.delete(f"/api/workers/{worker.id}", headers=worker.headers)).status_code == 200

    elsewhere = await _refused(local, worker)
    path = f"/api/workers/{worker.id}"
    own = [
        await local.get(f"{path}/poll", headers=worker.headers),
        await local.post(f"{path}/heartbeat", json={"activeCount": 0}, headers=worker.headers),
        await local.post(f"{path}/refresh-token", json={}, headers=worker.headers),
    ]
    others = [
        await local.get("/api/workers", headers=worker.headers),
        await local.get("/api/workers/wkr_other/poll", headers=worker.headers),
        await local.get("/api/sessions/wse_1/status", headers=worker.headers),
        await local.post("/api/sessions/wse_1/status", json={"status": "running"}, headers=worker.headers),
    ]

    assert (elsewhere.status_code, elsewhere.json()["message"]) == (401, "Invalid or missing API key")
    assert [(each.status_code, each.json()["message"]) for each in own] == [(404, "Worker not found")] * 3
    assert [each.status_code for each in others] == [401] * 4


async def _refused(http: httpx.AsyncClient, worker: FleetWorker) -> httpx.Response:
    """Ask until that is refused: that a worker was there is remembered for a second."""
    patience = Patience()
    async with asyncio.timeout(5):
        while True:
            answer = await http.get("/api/config", headers=worker.headers)
            if answer.status_code != 200:
                return answer
            await patience.wait()
