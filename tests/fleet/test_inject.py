"""Further inputs to an agent that takes them while a worker is at it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, bearer
from tests.fleet.hearing import further, inbox, refresh, submit
from tests.fleet.offers import item_within
from tests.fleet.relaying import Work, done
from tests.fleet.reporting import assigned, told_of
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.run_order import OutOfOrder
from tests.harness.worker import FleetWorker, define_worker_agent

PNG = "data:image/png;base64,iVBORw0KGgo="


async def test_what_a_user_says_meanwhile_is_in_the_run_and_reaches_its_worker(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    await work.published("turn-0", (0, "Working"))

    accepted = await further(work, "And the tests, please.", clientInputId="mine")
    heard = (await refresh(work))["inject"]
    await refresh(work, ackedInject=heard["deliveryId"])
    await work.published("turn-0", (1, " on it."), done(2))
    await work.published(heard["turnId"], (0, "Tests, too."), done(1))
    await work.worker.told(work.id, "status", status="completed")

    log = await work.client.log(work.session)
    check_log(log)
    (begun,) = [event for event in told_of(log, "MESSAGE_STARTED") if event["messageId"] == accepted["messageId"]]
    assert (accepted["runtimeRunId"], accepted["status"]) == (work.run, "active")
    assert "queuedPosition" not in accepted
    assert begun["clientInputId"] == "mine"
    assert accepted["position"] == log[log.index(begun) - 1]["eventId"]
    assert (heard["text"], heard["turnId"]) == ("And the tests, please.", accepted["messageId"])
    assert len(told_of(log, "BRANCH_RUN_STARTED")) == 1
    # A message that is cut in two by another one is whole, and forks take both.
    branch = (await local.get(f"/sessions/{work.session}/branches/main")).json()
    assert branch["messageCount"] == 4


async def test_a_log_in_which_users_speak_to_nobody_is_out_of_order(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    await further(work, "Anybody?")
    await work.worker.told(work.id, "status", status="completed")
    log = await work.client.log(work.session)

    without_worker = [event for event in log if event["type"] != "WORK_CLAIMED"]
    for number, event in enumerate(without_worker, 1):
        event["sequenceNumber"], event["eventId"] = number, f"{event['eventId'].partition('.')[0]}.{number}"

    with pytest.raises(OutOfOrder, match="no worker has the run"):
        check_log(without_worker)


@pytest.mark.parametrize(
    ("config", "body"),
    [
        ({}, {"text": "Wait."}),
        ({"furtherInputs": "queue"}, {"text": "Wait."}),
        ({"furtherInputs": "inject"}, {"text": "Configured.", "runConfig": {"runTimeout": "PT5M"}}),
        (
            {"furtherInputs": "inject"},
            {
                "type": "USER_MESSAGES_INPUT",
                "messages": [{"contents": [{"$type": "text", "text": "See."}, {"$type": "data", "uri": PNG}]}],
            },
        ),
        (
            {"furtherInputs": "inject"},
            {"type": "USER_MESSAGES_INPUT", "messages": [{"text": "One."}, {"text": "Two."}]},
        ),
    ],
    ids=["usual", "queue", "configured", "file", "two"],
)
async def test_what_a_worker_is_not_told_of_waits(
    local: httpx.AsyncClient, config: dict[str, str], body: dict[str, object]
) -> None:
    work = await assigned(local, **config)

    response = await submit(work, {**body, "runningRunBehavior": "queue"})
    behind = await further(work, "In line.")
    heard = await refresh(work)
    await work.worker.told(work.id, "status", status="completed")

    accepted = response.json()
    assert (response.status_code, accepted["status"], accepted["queuedPosition"]) == (202, "queued", 1)
    # Nor does anything overtake it.
    assert (behind["status"], behind["queuedPosition"]) == ("queued", 2)
    assert heard == {"refreshed": True}
    assert (await work.client.run(work.session, accepted["runtimeRunId"]))["status"] == "active"
    check_log(await work.client.log(work.session), ended=False)


async def test_an_input_that_is_not_to_wait_is_refused_or_interrupts_as_it_says(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")

    refused = [await submit(work, {"text": "Now?", **said}) for said in ({}, {"runningRunBehavior": "reject"})]
    first = await submit(work, {"text": "Rather this.", "runningRunBehavior": "interrupt"})
    ended = await work.client.ended(work.session, work.run)

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(409, "branch-run-active")] * 2
    assert first.status_code == 202
    assert ended["status"] == "cancelled"
    check_log(await work.client.log(work.session), ended=False)


async def test_an_input_for_work_that_nobody_has_waits_and_one_after_its_end_begins(local: httpx.AsyncClient) -> None:
    offered = Client(str(local.base_url), await define_worker_agent(local, furtherInputs="inject"))
    session = await offered.session()
    await offered.accepted(session, "First.")
    work = await assigned(local, furtherInputs="inject")

    path = f"{offered.path(session)}/inputs"
    pending = await offered.http.post(path, json={"text": "Second.", "runningRunBehavior": "queue"})
    await work.worker.told(work.id, "status", status="completed")
    after = await further(work, "Next.")
    await offered.http.aclose()

    assert (pending.status_code, pending.json()["status"]) == (202, "queued")
    assert after["status"] == "active"
    assert after["runtimeRunId"] != work.run


async def test_a_message_id_that_is_taken_is_refused_and_so_is_what_comes_too_often(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    work = await assigned(local, furtherInputs="inject")
    body = {
        "type": "USER_MESSAGES_INPUT",
        "messages": [{"messageId": "mine", "text": "Once."}],
        "runningRunBehavior": "queue",
    }

    once, twice = await submit(work, body), await submit(work, body)
    for index in range(99):
        await further(work, f"{index}")
    before = await gate.everything()
    too_many = await submit(work, {"text": "One more.", "runningRunBehavior": "queue"})

    assert (once.status_code, once.json()["messageId"]) == (202, "mine")
    assert (twice.status_code, twice.json()["code"]) == (409, "message-exists")
    assert (too_many.status_code, too_many.json()["code"]) == (429, "queue-full")
    assert before == await gate.everything()


async def test_what_is_said_is_there_after_a_crash_and_the_next_worker_hears_it(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    settings = {"key_file": key_file, "worker_api_key": SHARED_KEY, "sweep_seconds": 0.1}
    server = make_server(database_url, **settings).start()
    async with Client(server.url) as client:
        work = await assigned(client.http, key=SHARED_KEY, furtherInputs="inject")
        await work.published("turn-0", (0, "Half"))
        accepted = await further(work, "Say it twice.")
        server.kill()
    with make_server(database_url, worker_lease_seconds=1, **settings) as after:
        async with Client(after.url, work.client.agent) as client:
            second = await FleetWorker.register(client.http, key=SHARED_KEY, agentIds=[work.client.agent])
            await FleetWorker(client.http, work.worker.registered, key=SHARED_KEY).told(work.id, "nack")
            await item_within(second)
            again = Work(client, second, work.session, work.run, work.id)

            (heard,) = await inbox(again)
            await second.say(work.id, "Whole. Whole.", turn="turn-1")
            await second.told(work.id, "status", status="completed")
            log = await client.log(work.session)

    check_log(log)
    assert (heard["payload"], heard["turnId"]) == ("Say it twice.", accepted["messageId"])


async def test_an_operator_says_something_to_who_is_at_work_or_makes_work_of_it(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    work = await assigned(local, priority=5)
    path = f"/api/public/sessions/{work.id}/prompt"
    operator = bearer(await gate.key("local", Role.OPERATOR))

    told = await local.post(path, json={"prompt": "Hurry."}, headers=operator)
    heard = (await refresh(work))["inject"]
    await work.worker.told(work.id, "status", status="completed")
    after = await local.post(path, json={"prompt": "Once more."}, headers=operator)
    item = await work.worker.claimed()
    behind = await local.post(path, json={"prompt": "And again."}, headers=operator)
    await work.worker.told(item["sessionId"], "status", status="completed")
    third = await work.worker.claimed()

    assert told.json() == {
        "prompted": True,
        "action": "directive",
        "sessionId": work.id,
        "runtimeRunId": work.run,
        "messageId": heard["turnId"],
        "status": "active",
    }
    assert heard["text"] == "Hurry."
    assert (after.json()["action"], after.json()["status"]) == ("requeued", "active")
    assert (item["sessionId"], item["prompt"], item["priority"]) == (after.json()["sessionId"], "Once more.", 2)
    assert (behind.json()["action"], behind.json()["status"]) == ("requeued", "queued")
    assert (third["sessionId"], third["prompt"], third["priority"]) == (behind.json()["sessionId"], "And again.", 2)
    check_log(await work.client.log(work.session), ended=False)


async def test_a_prompt_that_is_malformed_or_of_somebody_else_changes_nothing(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    work = await assigned(local)
    path = f"/api/public/sessions/{work.id}/prompt"
    keys = [await gate.key("local", Role.WORKER), await gate.key("local", Role.USER)]
    abroad = await gate.key("elsewhere", Role.OPERATOR)
    before = await gate.everything()

    bodies = ["", "{", "[]", "{}", '{"prompt": ""}', '{"prompt": 1}', '{"prompt": null}']
    malformed = [await local.post(path, content=each) for each in bodies]
    wrong_role = [await local.post(path, json={"prompt": "x"}, headers=bearer(key)) for key in keys]
    worker = await local.post(path, json={"prompt": "x"}, headers=work.worker.headers)
    elsewhere = await local.post(path, json={"prompt": "x"}, headers=bearer(abroad))
    unknown = await local.post("/api/public/sessions/wse_unknown/prompt", json={"prompt": "x"})

    assert [each.status_code for each in malformed] == [400] * len(bodies)
    assert all(each.json()["error"] == "Bad Request" and each.json()["message"] for each in malformed)
    assert [each.status_code for each in (*wrong_role, worker)] == [403] * 3
    assert [each.status_code for each in (elsewhere, unknown)] == [404] * 2
    assert before == await gate.everything()


async def test_nothing_is_added_to_a_run_that_is_to_end(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")

    await local.post(f"{work.client.path(work.session)}/interrupt")
    accepted = await further(work, "Too late for that one.")
    ended = await work.client.ended(work.session, work.run)

    assert ended["status"] == "cancelled"
    assert accepted["runtimeRunId"] != work.run
    check_log(await work.client.log(work.session), ended=False)
