"""Handing a session on to the name that its worker has registered under anew."""

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import offer, prompts
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.worker import FleetWorker, Json, define_worker_agent


async def test_a_worker_goes_on_under_its_new_name_and_its_old_one_is_refused(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    offered = await offer(client, agent)
    before = await FleetWorker.register(client.http, key=SHARED_KEY, capacity=1)
    session = (await before.claimed())["sessionId"]
    await before.told(session, "status", status="running")
    await before.told(session, "token-delta", turnId="turn-0", frames=[{"index": 0, "text": "One, "}])
    after = await FleetWorker.register(client.http, key=SHARED_KEY, capacity=1)
    await offer(client, agent, "Another.")

    answer = await transfer(after, session, before)
    late = await before.report(session, "status", status="failed")
    full, free = await after.poll(), await before.poll()
    await after.told(session, "token-delta", turnId="turn-0", frames=[{"index": 1, "text": "two.", "done": True}])
    await after.told(session, "status", status="completed")

    assert answer["transferred"] is True
    assert (answer["session"]["sessionId"], answer["session"]["workerId"]) == (session, after.id)
    assert (late.status_code, late.json()["message"]) == (403, "Session is owned by another worker")
    assert prompts(full) == []
    assert prompts(free) == ["Another."]
    log = await client.log(offered.session)
    check_log(log)
    assert [event["workerId"] for event in log if event["type"] == "WORK_CLAIMED"] == [before.id, after.id]
    assert log[-1]["status"] == "completed"


async def test_a_session_that_cannot_be_handed_on_stays_and_the_answer_says_why(client: Client) -> None:
    agent = await define_worker_agent(client.http, projectName="blue")
    await offer(client, agent)
    owner = await FleetWorker.register(client.http, key=SHARED_KEY)
    session = (await owner.claimed())["sessionId"]
    after = await FleetWorker.register(client.http, key=SHARED_KEY)
    red = await FleetWorker.register(client.http, key=SHARED_KEY, projects=["red"])

    unknown = await transfer(after, "wse_0", owner)
    not_theirs = await transfer(after, session, red)
    other_project = await transfer(red, session, owner)
    await owner.told(session, "status", status="completed")
    ended = await transfer(after, session, owner)

    assert unknown == {"transferred": False, "reason": "Session not found"}
    assert not_theirs == {"transferred": False, "reason": f"Session owned by different worker: {owner.id}"}
    assert other_project == {"transferred": False, "reason": "Worker is not authorized for this project"}
    assert ended == {"transferred": False, "reason": "Session has ended"}


async def test_a_worker_with_a_token_takes_over_from_its_own_machine_or_who_is_gone_alone(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer(client, agent)
    owner = await FleetWorker.register(client.http, hostname="here")
    session = (await owner.claimed())["sessionId"]
    thief = await FleetWorker.register(client.http, hostname="there")
    again = await FleetWorker.register(client.http, hostname="here")

    stolen = await thief.report(session, "transfer-ownership", newWorkerId=thief.id, oldWorkerId=owner.id)
    in_a_name = await thief.report(session, "transfer-ownership", newWorkerId=again.id, oldWorkerId=owner.id)
    nobody = await owner.report(session, "transfer-ownership", newWorkerId="wkr_0", oldWorkerId=owner.id)
    moved = await transfer(again, session, owner)

    assert (stolen.status_code, stolen.json()["message"]) == (403, "Session is owned by another worker")
    assert in_a_name.status_code == 403
    assert (nobody.status_code, nobody.json()["message"]) == (404, "Worker not found")
    assert moved["transferred"] is True


async def test_a_transfer_that_says_nothing_useful_is_refused(client: Client) -> None:
    worker = await FleetWorker.register(client.http, key=SHARED_KEY)

    for body in (b"{", b"[]", b"{}", b'{"newWorkerId": "a"}', b'{"newWorkerId": 7, "oldWorkerId": "b"}'):
        headers = {**worker.headers, "Content-Type": "application/json"}
        refused = await client.http.post("/api/sessions/wse_0/transfer-ownership", content=body, headers=headers)
        assert refused.status_code == 400, (body, refused.text)
        assert {"error", "message"} <= refused.json().keys()


async def transfer(worker: FleetWorker, session: str, before: FleetWorker) -> Json:
    """Hand a session on, which must be answered."""
    return await worker.told(session, "transfer-ownership", newWorkerId=worker.id, oldWorkerId=before.id)
