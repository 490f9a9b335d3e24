"""Handing a session on to the name that its worker has registered under anew."""

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate
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


async def test_what_a_worker_calls_its_machine_counts_only_among_those_of_one_key(gate: Gate) -> None:
    async with await gate.tenant("movers") as client:
        agent = await define_worker_agent(client.http, "mover")
        await offer(client, agent)
        key, other = [await gate.key("movers", Role.WORKER) for _ in "12"]
        owner = await FleetWorker.register(client.http, key=key, hostname="here")
        session = (await owner.claimed())["sessionId"]
        liar = await FleetWorker.register(client.http, key=other, hostname="here")
        again = await FleetWorker.register(client.http, key=key, hostname="here")

        stolen = await liar.report(session, "transfer-ownership", newWorkerId=liar.id, oldWorkerId=owner.id)
        moved = await transfer(again, session, owner)

    assert (stolen.status_code, stolen.json()["message"]) == (403, "Session is owned by another worker")
    assert moved["transferred"] is True


async def test_a_session_is_handed_only_to_a_worker_that_has_room_and_does_such_work(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer(client, agent)
    await offer(client, agent, "Another.")
    owner = await FleetWorker.register(client.http, key=SHARED_KEY, capacity=1)
    session = (await owner.claimed())["sessionId"]
    full = await FleetWorker.register(client.http, key=SHARED_KEY, capacity=1)
    await full.claimed()
    other = await FleetWorker.register(client.http, key=SHARED_KEY, agentIds=["somebody-else"])

    no_room, not_its_own = await transfer(full, session, owner), await transfer(other, session, owner)
    again = await transfer(owner, session, owner)

    assert no_room == {"transferred": False, "reason": "Worker has no room for more work"}
    assert not_its_own == {"transferred": False, "reason": "Worker does not work for this agent"}
    assert again["transferred"] is True


async def test_what_a_session_has_on_its_machine_and_what_is_on_offer_is_shown_to_those_it_concerns(
    client: Client,
) -> None:
    agent = await define_worker_agent(client.http, projectName="blue")
    await offer(client, agent)
    owner, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    red, blue = [await FleetWorker.register(client.http, projects=[project]) for project in ("red", "blue")]
    elsewhere = await FleetWorker.register(client.http, agentIds=["somebody-else"])
    session = (await owner.claimed())["sessionId"]
    await owner.told(session, "status", status="running", providerSessionId="prov-1", worktreePath="/home/me")
    await offer(client, agent, "Another.")
    pending = (await blue.claimed())["sessionId"]
    await blue.told(pending, "nack", reason="not now")

    async def status(worker: FleetWorker) -> Json:
        shown: Json = (await client.http.get(f"/api/sessions/{session}/status", headers=worker.headers)).json()
        return shown

    to_owner, to_other = await status(owner), await status(other)
    path = f"/api/daemon/sessions/{pending}"
    offered = [
        (await client.http.get(path, headers=each.headers)).status_code for each in (red, elsewhere, blue, other)
    ]

    assert (to_owner["providerSessionId"], to_owner["worktreePath"]) == ("prov-1", "/home/me")
    assert (to_other["providerSessionId"], to_other["worktreePath"]) == (None, "")
    assert to_owner | {"providerSessionId": None, "worktreePath": ""} == to_other
    assert offered == [404, 404, 200, 200]
