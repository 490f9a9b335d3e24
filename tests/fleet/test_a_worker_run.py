"""A run that a worker does, from its input to its end, as a client sees it."""

import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.worker import FleetWorker, define_worker_agent


@pytest.mark.parametrize("key", [None, SHARED_KEY], ids=["token", "shared-key"])
async def test_what_a_worker_feeds_and_reports_is_the_run_that_a_client_sees(client: Client, key: str | None) -> None:
    client.agent = await define_worker_agent(client.http, projectName="verse", priority=2)
    session = await client.session()
    accepted = await client.accepted(session, "Say hello.")
    worker = await FleetWorker.register(client.http, key=key)

    item = await worker.claimed()
    await worker.told(item["sessionId"], "status", status="running")
    await worker.say(item["sessionId"], "Hello there.")
    await worker.told(item["sessionId"], "completion", summary="Hello there.")
    await worker.told(item["sessionId"], "status", status="completed")

    run = await client.run(session, accepted["runtimeRunId"])
    log = await client.log(session)
    check_log(log)
    assert (item["prompt"], item["projectName"], item["priority"]) == ("Say hello.", "verse", 2)
    assert run["status"] == "completed"
    assert [event["text"] for event in log if event["type"] == "TEXT_DELTA"] == ["Hello ", "there."]
    assert [event["workerId"] for event in log if event["type"] == "WORK_CLAIMED"] == [worker.id]
    assert log[-1]["type"] == "BRANCH_RUN_COMPLETED"
