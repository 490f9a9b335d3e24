"""The inbox of a session: lanes, what is handed over once, and what is acknowledged."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, bearer
from tests.fleet.hearing import ask, further, inbox, inbox_within, interrupt, refresh, respond
from tests.fleet.offers import item_within
from tests.fleet.relaying import Work
from tests.fleet.reporting import assigned
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker

MALFORMED = [
    "",
    "{",
    "[]",
    "{}",
    '{"messageId": "m"}',
    '{"lane": "urgent"}',
    '{"messageId": "m", "lane": "slow"}',
    '{"messageId": "m", "lane": null}',
    '{"messageId": 1, "lane": "urgent"}',
    '{"messageId": "", "lane": "urgent"}',
]


async def test_a_message_is_the_union_of_both_dialects(local: httpx.AsyncClient) -> None:
    work = await assigned(local, key=SHARED_KEY, furtherInputs="inject")
    accepted = await further(work, "Also the tests.")

    (message,) = await inbox(work)

    assert isinstance(message.pop("createdAt"), int)
    assert message == {
        "id": message["id"],
        "deliveryId": message["id"],
        "type": "directive",
        "lane": "urgent",
        "sessionId": work.id,
        "payload": "Also the tests.",
        "text": "Also the tests.",
        "kind": "user",
        "turnId": accepted["messageId"],
    }


async def test_urgent_ones_come_first_and_each_is_handed_over_once(local: httpx.AsyncClient) -> None:
    work = await assigned(local, key=SHARED_KEY, furtherInputs="inject")
    await ask(work)
    await respond(work, approved=True)
    for index in range(12):
        await further(work, f"{index}")

    polls = [await inbox(work) for _ in range(4)]

    assert [[message["type"] for message in poll] for poll in polls] == [
        ["directive"] * 10,
        ["directive"] * 2,
        ["hook-result"],
        [],
    ]
    assert [message["payload"] for poll in polls[:2] for message in poll] == [str(index) for index in range(12)]


async def test_polls_at_once_share_no_message(local: httpx.AsyncClient) -> None:
    work = await assigned(local, key=SHARED_KEY, furtherInputs="inject")
    for index in range(20):
        await further(work, f"{index}")

    polls = await asyncio.gather(*(inbox(work) for _ in range(8)))
    rest = [await inbox(work) for _ in range(2)]

    heard = [message["payload"] for poll in [*polls, *rest] for message in poll]
    assert sorted(heard, key=int) == [str(index) for index in range(20)]


async def test_what_is_acknowledged_is_handed_to_no_later_worker_unless_a_user_said_it(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    settings = {"key_file": key_file, "worker_api_key": SHARED_KEY, "sweep_seconds": 0.1, "worker_lease_seconds": 1}
    with make_server(database_url, **settings) as server:
        async with Client(server.url) as client:
            work = await assigned(client.http, key=SHARED_KEY, furtherInputs="inject")
            await ask(work, "CLARIFICATION_REQUEST", requestId="ask-1", question="Which?")
            await respond(work, type="CLARIFICATION_RESPONSE", requestId="ask-1", answer="This.")
            (answer,) = await inbox(work)
            await further(work, "Heard.")
            (heard,) = await inbox(work)
            for message in (answer, heard):
                await work.worker.told(work.id, "inbox/ack", messageId=message["id"], lane=message["lane"])
            await further(work, "Unheard.")
            second = await FleetWorker.register(client.http, key=SHARED_KEY, agentIds=[work.client.agent])

            await item_within(second)
            again = await inbox(Work(work.client, second, work.session, work.run, work.id))

    assert [message["payload"] for message in again] == ["Heard.", "Unheard."]


@pytest.mark.parametrize("key", [None, SHARED_KEY], ids=["token", "shared-key"])
async def test_a_worker_whose_run_is_interrupted_is_told_to_stop_once(
    local: httpx.AsyncClient, key: str | None
) -> None:
    work = await assigned(local, key=key)

    await interrupt(work)
    (stop,) = await inbox_within(work)
    acked = await work.worker.told(work.id, "inbox/ack", messageId=stop["id"], lane="urgent")

    assert (stop["type"], stop["lane"], stop["text"], stop["kind"]) == ("stop", "urgent", "", "")
    assert acked == {"acknowledged": True}
    assert await inbox(work) == []


async def test_an_acknowledgement_of_nothing_is_refused_and_one_said_twice_is_not(local: httpx.AsyncClient) -> None:
    work = await assigned(local, key=SHARED_KEY, furtherInputs="inject")
    await further(work, "One.")
    (message,) = await inbox(work)

    unknown = await work.worker.report(work.id, "inbox/ack", messageId="inb_unknown", lane="urgent")
    other_lane = await work.worker.report(work.id, "inbox/ack", messageId=message["id"], lane="normal")
    missing = await work.worker.report("wse_unknown", "inbox/ack", messageId=message["id"], lane="urgent")
    twice = [await work.worker.told(work.id, "inbox/ack", messageId=message["id"], lane="urgent") for _ in range(2)]

    assert [answer.status_code for answer in (unknown, other_lane, missing)] == [404, 404, 404]
    assert missing.json()["message"] == "Session not found"
    assert twice == [{"acknowledged": True}] * 2


async def test_what_is_malformed_or_another_workers_changes_nothing(gate: Gate, local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    await further(work, "One.")
    message = (await refresh(work))["inject"]["deliveryId"]
    other = await FleetWorker.register(local, agentIds=["none"])
    stranger = await gate.token("elsewhere")
    before = await gate.everything()

    path, body = f"/api/sessions/{work.id}/inbox/ack", {"messageId": message, "lane": "urgent"}
    refused = [await local.post(path, content=each, headers=work.worker.headers) for each in MALFORMED]
    foreign = await local.post(path, json=body, headers=other.headers)
    abroad = await local.post(path, json=body, headers=bearer(stranger))

    assert [answer.status_code for answer in refused] == [400] * len(MALFORMED)
    assert all(answer.json()["error"] == "Bad Request" and answer.json()["message"] for answer in refused)
    assert (foreign.status_code, foreign.json()["message"]) == (403, "Session is owned by another worker")
    assert (abroad.status_code, abroad.json()["message"]) == (404, "Session not found")
    assert before == await gate.everything()


async def test_what_was_accepted_is_heard_after_a_crash_of_the_server(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    settings = {"key_file": key_file, "worker_api_key": SHARED_KEY, "sweep_seconds": 0.1}
    server = make_server(database_url, **settings).start()
    async with Client(server.url) as client:
        work = await assigned(client.http, key=SHARED_KEY, furtherInputs="inject")
        await further(work, "Do not forget this.")
        server.kill()
    with make_server(database_url, **settings) as after:
        async with Client(after.url, work.client.agent) as client:
            worker = FleetWorker(client.http, work.worker.registered, key=SHARED_KEY)

            heard = await inbox(Work(client, worker, work.session, work.run, work.id))
            await interrupt(Work(client, worker, work.session, work.run, work.id))
            stopped = await inbox_within(Work(client, worker, work.session, work.run, work.id))

    assert [message["payload"] for message in heard] == ["Do not forget this."]
    assert [message["type"] for message in stopped] == ["stop"]
