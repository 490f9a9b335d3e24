"""Giving a session back."""

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import offer, offer_all, prompts, told_within
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.worker import FleetWorker, define_worker_agent


async def test_what_is_given_back_keeps_its_place_and_goes_to_another_worker_first(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    (offered, *_) = await offer_all(client, agent, agent)
    worker, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    item = (await worker.poll())["work"][0]

    answer = await worker.told(item["sessionId"], "nack", reason="accept work failed: no disk", work=item)
    twice = await worker.told(item["sessionId"], "nack", work=item)
    await offer(client, agent, "Task 2")
    same = await worker.poll()
    second = await other.poll()

    expected = {"nacked": True, "sessionId": item["sessionId"], "requeued": True}
    assert answer == twice == expected
    assert prompts(same) == ["Task 2"]
    assert second["work"] == [item]
    told = await told_within(client, offered.session, "WORK_RETURNED")
    assert (told["workerId"], told["reason"], told["message"]) == (worker.id, "refused", "accept work failed: no disk")
    assert told["isGivenUp"] is False


async def test_what_is_given_back_half_done_is_begun_anew_by_the_next_worker(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    offered = await offer(client, agent)
    worker, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    item = await worker.claimed()
    await worker.told(item["sessionId"], "status", status="running", providerSessionId="thread-1")
    await worker.told(item["sessionId"], "token-delta", turnId="turn-0", frames=[{"index": 0, "text": "Half of"}])

    await worker.told(item["sessionId"], "nack")
    again = await other.claimed()
    late = await worker.report(item["sessionId"], "status", status="completed")
    await other.say(again["sessionId"], "All of it.")
    await other.told(again["sessionId"], "status", status="completed")

    assert (late.status_code, late.json()["message"]) == (403, "Session is owned by another worker")
    # A provider keeps its session for the worker that has it.
    assert "providerSessionId" not in again
    log = await client.log(offered.session)
    check_log(log)
    assert log[-1]["type"] == "BRANCH_RUN_COMPLETED"
    assert log[-1]["status"] == "completed"


async def test_only_who_has_a_session_can_give_it_back(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer(client, agent)
    worker, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    shared = await FleetWorker.register(client.http, key=SHARED_KEY)
    session = (await worker.claimed())["sessionId"]

    strangers = [await each.report(session, "nack") for each in (other, shared)]
    liar = await other.report(session, "nack", workerId=worker.id)
    missing = await worker.report("wse_0", "nack")
    await worker.told(session, "status", status="completed")
    ended = await worker.report(session, "nack")

    assert [(each.status_code, each.json()["message"]) for each in (*strangers, liar)] == [
        (403, "Session is owned by another worker")
    ] * 3
    assert (missing.status_code, missing.json()["message"]) == (404, "Session not found")
    assert ended.status_code == 409


async def test_a_nack_that_says_nothing_useful_is_refused_and_changes_nothing(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer(client, agent)
    worker = await FleetWorker.register(client.http, key=SHARED_KEY)
    session = (await worker.claimed())["sessionId"]
    name = worker.id.encode()

    for body in (
        b"{",
        b"[]",
        b"{}",
        b'{"workerId": 7}',
        b'{"workerId": "%s", "reason": 7}' % name,
        b'{"workerId": "%s", "work": "x"}' % name,
        b'{"workerId": "%s", "work": {"sessionId": "wse_other"}}' % name,
    ):
        headers = {**worker.headers, "Content-Type": "application/json"}
        refused = await client.http.post(f"/api/sessions/{session}/nack", content=body, headers=headers)
        assert refused.status_code == 400, (body, refused.text)
        assert {"error", "message"} <= refused.json().keys()
    nul = await worker.report("nul%00", "nack")
    assert nul.status_code == 404
    assert (await worker.report(session, "status", status="completed")).status_code == 200
