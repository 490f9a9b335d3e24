"""Refreshing a lock: who has a session still, when it is to stop, and what it hears."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, bearer
from tests.fleet.hearing import further, inbox, refresh
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
    '"worker"',
    '{"workerId": 1}',
    '{"workerId": "W", "issueId": 1}',
    '{"workerId": "W", "ackedInject": 1}',
    '{"workerId": "W", "ackedInject": [1]}',
    '{"workerId": "W", "ackedInject": {}}',
]


async def test_turns_come_one_at_a_time_until_each_is_acknowledged(local: httpx.AsyncClient) -> None:
    work = await assigned(local, furtherInputs="inject")
    first = await further(work, "First.")
    second = await further(work, "Second.")

    heard = [(await refresh(work))["inject"] for _ in range(2)]
    wrong = (await refresh(work, ackedInject="inb_unknown"))["inject"]
    then = [(await refresh(work, ackedInject=heard[0]["deliveryId"]))["inject"] for _ in range(2)]
    last = await refresh(work, ackedInject=[then[0]["deliveryId"], heard[0]["deliveryId"]])

    assert heard[0] == {
        "deliveryId": heard[0]["deliveryId"],
        "text": "First.",
        "kind": "user",
        "turnId": first["messageId"],
    }
    assert heard[0] == heard[1] == wrong
    assert then[0] == then[1]
    assert (then[0]["text"], then[0]["turnId"]) == ("Second.", second["messageId"])
    assert last == {"refreshed": True}
    # The poll does not tell a worker with a token of them, too.
    assert await inbox(work) == []


@pytest.mark.parametrize("issue", ["", None, "another", 0])
async def test_any_issue_will_do_and_a_session_may_have_none(local: httpx.AsyncClient, issue: str | int | None) -> None:
    work = await assigned(local)

    said = {} if issue == 0 else {"issueId": issue}
    answer = await work.worker.told(work.id, "lock-refresh", **said)

    assert answer == {"refreshed": True}


@pytest.mark.parametrize("key", [None, SHARED_KEY], ids=["token", "shared-key"])
async def test_whoever_is_interrupted_stops_and_still_has_its_lock(local: httpx.AsyncClient, key: str | None) -> None:
    work = await assigned(local, key=key, furtherInputs="inject")
    await further(work, "Too late.")
    unacked = (await refresh(work)).get("inject", {}).get("deliveryId", "")

    response = await local.post(f"{work.client.path(work.session)}/interrupt")
    at_once = await refresh(work)
    await work.client.ended(work.session, work.run)
    later = [await refresh(work), await work.worker.told(work.id, "lock-refresh", issueId="", ackedInject=unacked)]

    assert response.status_code == 202
    assert [at_once, *later] == [{"refreshed": True, "stop": True}] * 3


async def test_only_who_has_lost_a_session_is_told_so(local: httpx.AsyncClient) -> None:
    refused, moved, done = [await assigned(local) for _ in range(3)]
    other = await FleetWorker.register(local, agentIds=[moved.client.agent])
    for work in (refused, moved):
        await work.worker.told(work.id, "nack", reason="busy")
    await item_within(other)
    await done.worker.told(done.id, "status", status="completed")

    lost = [await refresh(work) for work in (refused, moved, done)]
    owner = await other.told(moved.id, "lock-refresh", issueId="")

    assert lost == [{"refreshed": False}] * 3
    assert owner == {"refreshed": True}


async def test_a_refreshed_lock_outlasts_the_lease(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    settings = {"key_file": key_file, "worker_api_key": SHARED_KEY, "sweep_seconds": 0.1, "worker_lease_seconds": 2}
    with make_server(database_url, **settings) as server:
        async with Client(server.url) as client:
            kept, left = await assigned(client.http), await assigned(client.http)
            second = await FleetWorker.register(client.http, agentIds=[left.client.agent])

            answers = []
            while not (await second.poll())["work"]:
                answers.append(await refresh(kept))
            last = await refresh(kept), await refresh(left)

    assert last[0] == {"refreshed": True}
    assert last[1] == {"refreshed": False}
    assert answers == [{"refreshed": True}] * len(answers)


async def test_a_turn_is_told_again_after_a_crash_of_the_server_and_to_the_next_worker(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    settings = {"key_file": key_file, "sweep_seconds": 0.1}
    server = make_server(database_url, **settings).start()
    async with Client(server.url) as client:
        work = await assigned(client.http, furtherInputs="inject")
        await further(work, "Heard before.")
        await further(work, "Not yet.")
        heard = (await refresh(work))["inject"]
        unheard = (await refresh(work, ackedInject=heard["deliveryId"]))["inject"]
        server.kill()
    with make_server(database_url, worker_lease_seconds=1, **settings) as after:
        async with Client(after.url, work.client.agent) as client:
            worker = FleetWorker(client.http, work.worker.registered)
            same = await refresh(Work(client, worker, work.session, work.run, work.id))
            second = await FleetWorker.register(client.http, agentIds=[work.client.agent])
            await item_within(second)

            next_worker = Work(client, second, work.session, work.run, work.id)
            again = (await refresh(next_worker))["inject"]
            rest = (await refresh(next_worker, ackedInject=again["deliveryId"]))["inject"]

    assert same == {"refreshed": True, "inject": unheard}
    # It begins anew, and has heard nothing of what the one before it was told.
    assert [again, rest] == [heard, unheard]


async def test_what_is_malformed_or_another_workers_changes_nothing(gate: Gate, local: httpx.AsyncClient) -> None:
    work = await assigned(local, key=SHARED_KEY, furtherInputs="inject")
    await further(work, "One.")
    path, headers = f"/api/sessions/{work.id}/lock-refresh", work.worker.headers
    body = {"workerId": work.worker.id, "issueId": ""}
    other = await FleetWorker.register(local, agentIds=["none"])
    stranger = await gate.token("elsewhere")
    before = await gate.everything()

    malformed = [each.replace('"W"', f'"{work.worker.id}"') for each in MALFORMED]
    refused = [await local.post(path, content=each, headers=headers) for each in malformed]
    foreign = await local.post(path, json=body, headers=other.headers)
    not_its_own = await other.told(work.id, "lock-refresh", issueId="", ackedInject="inb_x")
    abroad = await local.post(path, json=body, headers=bearer(stranger))
    unknown = await work.worker.report("wse_unknown", "lock-refresh", issueId="")

    assert [answer.status_code for answer in refused] == [400] * len(MALFORMED)
    assert all(answer.json()["error"] == "Bad Request" and answer.json()["message"] for answer in refused)
    assert (foreign.status_code, foreign.json()["message"]) == (403, "Session is owned by another worker")
    assert not_its_own == {"refreshed": False}
    assert [(each.status_code, each.json()["message"]) for each in (unknown,)] == [(404, "Session not found")]
    assert abroad.status_code in {403, 404}
    assert before == await gate.everything()


async def test_a_session_that_an_operator_kills_is_interrupted(local: httpx.AsyncClient) -> None:
    work, other = await assigned(local), await assigned(local)
    path = f"/api/workers/{work.worker.id}/mutations"

    killed = await local.post(path, json={"op": "session.kill", "params": {"sessionId": work.id}})
    not_its_own = await local.post(path, json={"op": "session.kill", "params": {"sessionId": other.id}})
    unknown = [
        await local.post(path, json={"op": "session.kill", "params": params})
        for params in ({"sessionId": "wse_0"}, {"sessionId": "no such"}, {})
    ]
    ended = await work.client.ended(work.session, work.run)

    assert [killed.status_code, not_its_own.status_code] == [201, 201]
    assert [(each.status_code, each.json()["message"]) for each in unknown] == [(404, "Session not found")] * 3
    assert ended["status"] == "cancelled"
    assert await refresh(work) == {"refreshed": True, "stop": True}
    assert await refresh(other) == {"refreshed": True}
