"""How workers go: what they had is on offer again at once."""

import httpx

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, bearer
from tests.fleet.offers import item_within
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent


async def test_what_a_worker_leaves_is_given_to_the_next_one_and_comes_sooner(gate: Gate) -> None:
    async with Client(gate.server.url) as client:
        client.agent = await define_worker_agent(client.http, "left", projectName="leavings", priority=4)
        session = await client.session()
        await client.accepted(session, "finish this")
        first = await FleetWorker.register(client.http, projects=["leavings"])
        item = await first.claimed()
        await first.told(item["sessionId"], "status", status="running", providerSessionId="prov-1")

        gone = await client.http.delete(f"/api/workers/{first.id}", headers=first.headers)
        late = await first.report(item["sessionId"], "status", status="completed")
        again = await item_within(await FleetWorker.register(client.http, projects=["leavings"]))
        log = await client.log(session)

    assert (gone.status_code, gone.json()) == (200, {"deregistered": True, "unclaimedSessions": [item["sessionId"]]})
    # For a second it is remembered that the worker was there; what it says counts for nothing either way.
    assert late.status_code in {401, 403}
    assert (again["sessionId"], again["prompt"]) == (item["sessionId"], "finish this")
    assert (item["priority"], again["priority"]) == (4, 3)
    assert "providerSessionId" not in again
    returned = [event for event in log if event["type"] == "WORK_RETURNED"]
    assert [(event["workerId"], event["reason"]) for event in returned] == [(first.id, "deregistered")]


async def test_the_most_urgent_work_stays_as_urgent(gate: Gate) -> None:
    async with Client(gate.server.url) as client:
        client.agent = await define_worker_agent(client.http, "urgent", projectName="urgencies", priority=1)
        await client.accepted(await client.session(), "now")
        first = await FleetWorker.register(client.http, projects=["urgencies"])
        await first.claimed()

        await client.http.delete(f"/api/workers/{first.id}", headers=first.headers)
        again = await item_within(await FleetWorker.register(client.http, projects=["urgencies"]))

    assert again["priority"] == 1


async def test_a_worker_goes_once_and_by_nobody_elses_hand(gate: Gate, local: httpx.AsyncClient) -> None:
    worker, other = await FleetWorker.register(local), await FleetWorker.register(local)
    path = f"/api/workers/{worker.id}"
    stranger = await gate.key("thief", Role.OPERATOR)

    by_other = await local.delete(path, headers=other.headers)
    by_stranger = await local.delete(path, headers=bearer(stranger))
    by_itself = await local.delete(path, headers=worker.headers)
    again = await local.delete(path, headers=worker.headers)
    poll = await local.get(f"{path}/poll", headers=worker.headers)
    heartbeat = await local.post(f"{path}/heartbeat", json={"activeCount": 0}, headers=worker.headers)

    assert (by_other.status_code, by_stranger.status_code) == (403, 404)
    assert by_itself.json() == {"deregistered": True, "unclaimedSessions": []}
    gone = [(each.status_code, each.json()["message"]) for each in (again, poll, heartbeat)]
    assert gone == [(404, "Worker not found")] * 3
