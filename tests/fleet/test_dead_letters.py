"""Dead letters: what too many workers were lost with is given up, listed, and begun anew when an operator says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import Offered, item_within, offer
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, Json, define_worker_agent


@pytest.fixture
def server(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> ServerProcess:
    """A server that gives up soon."""
    settings = {"worker_lease_seconds": 0.3, "sweep_seconds": 0.1, "worker_attempts": 2}
    return make_server(database_url, key_file=key_file, worker_api_key=SHARED_KEY, **settings).start()


async def test_what_was_lost_too_often_fails_and_is_begun_anew_once_when_an_operator_says_so(client: Client) -> None:
    agent = await define_worker_agent(client.http, projectName="verse", priority=3)
    offered = await offer(client, agent, "A hard one.")
    worker = await FleetWorker.register(client.http)
    item = await lose(client, worker, offered)

    run = await client.run(offered.session, offered.run)
    log = await client.log(offered.session)
    (dead,) = (await client.http.get("/api/work/dead")).json()["items"]
    requeued = await client.http.post(f"/api/work/dead/{item['sessionId']}/requeue")
    again = await worker.claimed()
    twice = await client.http.post(f"/api/work/dead/{item['sessionId']}/requeue")
    await worker.told(again["sessionId"], "status", status="completed")

    assert run["status"] == "failed"
    assert (log[-1]["type"], log[-1]["errorType"]) == ("BRANCH_RUN_COMPLETED", "RunLost")
    check_log(log)
    assert [event["isGivenUp"] for event in log if event["type"] == "WORK_RETURNED"] == [False, True]
    assert [event["attempt"] for event in log if event["type"] == "WORK_CLAIMED"] == [1, 2]
    assert {name: dead[name] for name in ("sessionId", "runtimeRunId", "sourceSessionId", "attempts", "reason")} == {
        "sessionId": item["sessionId"],
        "runtimeRunId": offered.run,
        "sourceSessionId": offered.session,
        "attempts": 2,
        "reason": "2 workers were lost with it.",
    }
    assert requeued.status_code == 200
    answer = requeued.json()
    assert (answer["requeued"], answer["sourceSessionId"]) == (True, offered.session)
    assert (again["prompt"], again["priority"], again["projectName"]) == ("A hard one.", 3, "verse")
    assert again["sessionId"] != item["sessionId"]
    assert (twice.status_code, twice.json()["code"]) == (409, "work-session-not-dead")
    assert (await client.http.get("/api/work/dead")).json() == {"items": []}
    ended = await client.run(offered.session, answer["runtimeRunId"])
    assert ended["status"] == "completed"


async def test_requeueing_what_is_not_dead_changes_nothing(client: Client) -> None:
    agent = await define_worker_agent(client.http)
    await offer(client, agent)
    worker = await FleetWorker.register(client.http)
    item = await worker.claimed()

    alive = await client.http.post(f"/api/work/dead/{item['sessionId']}/requeue")
    missing = [await client.http.post(f"/api/work/dead/{each}/requeue") for each in ("wse_0", "nul%00")]
    unlisted = await client.http.get("/api/work/dead?limit=0")

    assert (alive.status_code, alive.json()["code"]) == (409, "work-session-not-dead")
    assert [(each.status_code, each.json()["message"]) for each in missing] == [(404, "Session not found")] * 2
    assert unlisted.status_code == 400
    assert {"error", "message"} <= unlisted.json().keys()


async def lose(client: Client, worker: FleetWorker, offered: Offered) -> Json:
    """Let a worker claim an item and fall silent until it is given up."""
    item = await item_within(worker)
    while (await client.run(offered.session, offered.run))["status"] == "active":
        await worker.poll()
    return item
