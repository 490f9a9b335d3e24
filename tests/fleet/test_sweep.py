"""Workers that are lost, or leave: what they had is offered again, sooner than before, and at last given up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import item_within, offer, offer_all, prompts, told_within
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.worker import FleetWorker, define_worker_agent


@pytest.fixture
def server(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> ServerProcess:
    """A server that misses a worker soon."""
    settings = {"worker_lease_seconds": 0.5, "sweep_seconds": 0.1, "worker_attempts": 2}
    return make_server(database_url, key_file=key_file, worker_api_key=SHARED_KEY, **settings).start()


@pytest.mark.parametrize("state", ["claimed", "running", "finalizing"])
async def test_what_a_lost_worker_had_is_offered_again_one_priority_sooner(client: Client, state: str) -> None:
    agent = await define_worker_agent(client.http, priority=3)
    offered = await offer(client, agent, "Lost.")
    lost, second = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    item = await lost.claimed()
    if state != "claimed":
        await lost.told(item["sessionId"], "status", status="running", providerSessionId="thread-1")
        await lost.told(item["sessionId"], "token-delta", turnId="turn-0", frames=[{"index": 0, "text": "Half"}])
        await lost.told(item["sessionId"], "status", status=state)

    again = await item_within(second)
    late = await lost.report(item["sessionId"], "status", status="completed")
    await second.say(again["sessionId"], "Whole.")
    await second.told(again["sessionId"], "status", status="completed")

    assert again["sessionId"] == item["sessionId"]
    assert (item["priority"], again["priority"]) == (3, 2)
    assert again["queuedAt"] > item["queuedAt"]
    assert "providerSessionId" not in again
    assert (late.status_code, late.json()["message"]) == (403, "Session is owned by another worker")
    returned = await told_within(client, offered.session, "WORK_RETURNED")
    assert (returned["workerId"], returned["reason"]) == (lost.id, "lease_expired")
    log = await client.log(offered.session)
    check_log(log)
    assert (log[-1]["type"], log[-1]["status"]) == ("BRANCH_RUN_COMPLETED", "completed")


async def test_what_a_worker_that_leaves_had_is_offered_again_at_once_and_is_no_attempt(client: Client) -> None:
    agent = await define_worker_agent(client.http, priority=1)
    (offered, *_) = await offer_all(client, agent, agent)

    for _ in range(3):
        leaving = await FleetWorker.register(client.http, capacity=1)
        item = await leaving.claimed()
        gone = await client.http.delete(f"/api/workers/{leaving.id}", headers=leaving.headers)
        assert gone.json() == {"deregistered": True, "unclaimedSessions": [item["sessionId"]]}
    last = await FleetWorker.register(client.http)
    polled = await last.poll()

    # None is more urgent than 1, and what came back stands behind what has waited: thrice given, thrice put back.
    assert prompts(polled) == ["Task 1", "Task 0"]
    assert [item["priority"] for item in polled["work"]] == [1, 1]
    told = await told_within(client, offered.session, "WORK_RETURNED")
    assert (told["reason"], told["isGivenUp"]) == ("deregistered", False)


async def test_a_worker_that_is_heard_of_keeps_what_it_works_on(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer_all(client, agent)
    worker, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    item = await worker.claimed()
    await worker.told(item["sessionId"], "status", status="running")

    for _ in range(12):
        beat = await client.http.post(
            f"/api/workers/{worker.id}/heartbeat", json={"activeCount": 1}, headers=worker.headers
        )
        assert beat.status_code == 200, beat.text
        assert prompts(await other.poll()) == []

    assert (await worker.report(item["sessionId"], "status", status="completed")).status_code == 200


async def test_what_a_living_worker_never_heard_of_is_offered_again(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer_all(client, agent)
    deaf, other = await FleetWorker.register(client.http), await FleetWorker.register(client.http)
    lost_in_a_broken_connection = await deaf.claimed()

    while True:
        beat = await client.http.post(
            f"/api/workers/{deaf.id}/heartbeat", json={"activeCount": 0}, headers=deaf.headers
        )
        assert beat.status_code == 200, beat.text
        if work := (await other.poll())["work"]:
            break

    assert [item["sessionId"] for item in work] == [lost_in_a_broken_connection["sessionId"]]


async def test_an_item_that_cannot_be_written_keeps_no_other_from_being_offered_again(
    client: Client, database_url: str
) -> None:
    agent = await define_worker_agent(client.http)
    sick, healthy = await offer_all(client, agent, agent)
    lost = await FleetWorker.register(client.http, capacity=2)
    polled = (await lost.poll())["work"]
    await fall_sick(database_url, polled[0]["sessionId"])

    second = await FleetWorker.register(client.http)
    again = await item_within(second)
    told = await told_within(client, healthy.session, "WORK_RETURNED")
    # Twice looked after, and still there for everybody else.
    await offer(client, agent, "Later.")
    later = await item_within(second)

    assert [each["prompt"] for each in polled] == ["Task 0", "Task 1"]
    assert (again["prompt"], told["reason"], later["prompt"]) == ("Task 1", "lease_expired", "Later.")
    assert "WORK_RETURNED" not in [event["type"] for event in await client.log(sick.session)]


async def fall_sick(database_url: str, item: str) -> None:
    """Let the database refuse whatever would change an item, as one with a bad page would."""
    store = RawStore(database_url)
    if database_url.startswith("sqlite"):
        await store.run(
            f"CREATE TRIGGER sick BEFORE UPDATE ON work_items WHEN OLD.id = '{item}' "
            "BEGIN SELECT RAISE(ABORT, 'sick'); END"
        )
        return
    await store.run(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF OLD.id = '{item}' THEN RAISE EXCEPTION 'sick' USING ERRCODE = 'check_violation'; END IF; "
        "RETURN NEW; END $$"
    )
    await store.run("CREATE TRIGGER sick BEFORE UPDATE ON work_items FOR EACH ROW EXECUTE FUNCTION refuse()")
