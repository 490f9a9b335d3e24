"""Claiming a session by its name, as older workers do, and looking at one that waits."""

import httpx

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import offer
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, Json, define_worker_agent


async def test_a_session_is_claimed_once_and_every_refusal_is_a_200_that_says_why(client: Client) -> None:
    agent = await define_worker_agent(client.http, projectName="blue")
    offered = await offer(client, agent, "By name, please.")
    worker = await FleetWorker.register(client.http, key=SHARED_KEY, capacity=1)
    other = await FleetWorker.register(client.http, key=SHARED_KEY, projects=["red"])
    full = await FleetWorker.register(client.http, key=SHARED_KEY, capacity=1)
    session = await waiting_session(worker)
    await offer(client, await define_worker_agent(client.http, "urgent", priority=1))
    await full.claimed()

    refused = {
        "other project": await claim(other, session),
        "no room": await claim(full, session),
        "no such worker": await claim(worker, session, "wkr_0"),
        "no such session": await claim(worker, "wse_0"),
    }
    mine = await claim(worker, session)
    again = await claim(worker, session)

    assert {case: answer["reason"] for case, answer in refused.items()} == {
        "other project": "Worker is not authorized for this project",
        "no room": "Worker has no room for more work",
        "no such worker": "Worker not found",
        "no such session": "Work not available or already claimed",
    }
    assert again == {"claimed": False, "reason": "Work not available or already claimed"}
    assert mine["claimed"] is True
    assert (mine["session"]["sessionId"], mine["session"]["workerId"]) == (session, worker.id)
    assert (mine["work"]["prompt"], mine["work"]["sourceSessionId"]) == ("By name, please.", offered.session)
    log = [event["workerId"] for event in await client.log(offered.session) if event["type"] == "WORK_CLAIMED"]
    assert log == [worker.id, worker.id]


async def test_a_session_can_be_looked_at_for_as_long_as_it_waits(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    offered = await offer(client, agent, "Look at me.")
    worker = await FleetWorker.register(client.http)
    session = await waiting_session(worker)

    waiting = await client.http.get(f"/api/daemon/sessions/{session}", headers=worker.headers)
    await claim(worker, session)
    claimed = await client.http.get(f"/api/daemon/sessions/{session}", headers=worker.headers)

    assert waiting.status_code == 200
    shown = waiting.json()
    assert (shown["sessionId"], shown["prompt"], shown["sourceSessionId"]) == (session, "Look at me.", offered.session)
    assert shown["platformUrl"] == client.base
    assert (claimed.status_code, claimed.json()["message"]) == (404, "Session not found")


async def test_a_claim_that_says_nothing_useful_is_refused_and_changes_nothing(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer(client, agent)
    worker = await FleetWorker.register(client.http, key=SHARED_KEY)
    session = await waiting_session(worker)

    for body in (b"{", b"[]", b"7", b'{"workerId": 7}', b'{"workerId": ""}', b"{}", b"\xff"):
        refused = await post(worker, session, body)
        assert refused.status_code == 400, (body, refused.text)
        assert {"error", "message"} <= refused.json().keys()
    assert (await post(worker, "nul%00", b'{"workerId": "%s"}' % worker.id.encode())).json()["claimed"] is False
    assert (await claim(worker, session))["claimed"] is True


async def waiting_session(worker: FleetWorker) -> str:
    """Return the name of the first session that waits: whoever has given it back knows it."""
    session = str((await worker.poll())["claimedSessionIds"][0])
    await worker.told(session, "nack")
    return session


async def claim(worker: FleetWorker, session: str, worker_id: str | None = None) -> Json:
    """Claim a session, which is always answered."""
    said = {"workerId": worker_id} if worker_id else {}
    return await worker.told(session, "claim", **said)


async def post(worker: FleetWorker, session: str, body: bytes) -> httpx.Response:
    """Claim a session in other words."""
    headers = {**worker.headers, "Content-Type": "application/json"}
    return await worker.http.post(f"/api/sessions/{session}/claim", content=body, headers=headers)
