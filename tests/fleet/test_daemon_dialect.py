"""The same life in the words of daemons: the key in the body, and whole seconds."""

from datetime import datetime

import httpx
import pytest

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, Json, bearer
from tests.harness.worker import FleetWorker

DAEMON = {
    "hostname": "anvil",
    "maxAgents": 4,
    "version": "0.9",
    "machineId": "m-1",
    "region": "eu",
    "capabilities": ["local"],
    "activeAgentCount": 1,
    "status": "idle",
}


async def register(http: httpx.AsyncClient, **said: object) -> httpx.Response:
    """Register as a daemon."""
    return await http.post("/v1/daemon/register", json={**DAEMON, **said})


async def beat(http: httpx.AsyncClient, shown: str, **said: object) -> httpx.Response:
    """Send a heartbeat as a daemon."""
    body = {"activeSessions": 2, "hostname": "anvil", "status": "busy", "maxSessions": 6, "sentAt": "2026-01-01"}
    return await http.post("/v1/daemon/heartbeat", json={**body, **said}, headers=bearer(shown))


async def test_a_daemon_registers_with_the_key_in_its_body_and_beats_with_its_token(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    key = await gate.key("daemons", Role.WORKER, "web")

    registered = await register(local, registrationToken=key)
    told: Json = registered.json()
    heard = await beat(local, told["runtimeJwt"], workerId=told["workerId"])
    polled = await local.get(f"/api/workers/{told['workerId']}/poll", headers=bearer(told["runtimeJwt"]))
    record = (await local.get(f"/api/workers/{told['workerId']}", headers=bearer(key))).json()

    assert (registered.status_code, told.keys()) == (
        200,
        {"workerId", "runtimeJwt", "heartbeatIntervalSeconds", "pollIntervalSeconds"},
    )
    assert (told["heartbeatIntervalSeconds"], told["pollIntervalSeconds"]) == (30, 5)
    answer = heard.json()
    assert answer.keys() == {"acknowledged", "serverTime", "pendingWorkCount", "ok", "serverTimeMs"}
    assert (answer["acknowledged"], answer["ok"], answer["pendingWorkCount"]) == (True, True, 0)
    assert abs(datetime.fromisoformat(answer["serverTime"]).timestamp() * 1000 - answer["serverTimeMs"]) < 2
    assert polled.status_code == 200
    assert (record["activeCount"], record["capacity"], record["status"], record["project"]) == (2, 6, "busy", "web")
    assert record["registration"] == DAEMON


async def test_the_key_of_a_daemon_is_kept_nowhere(gate: Gate, local: httpx.AsyncClient) -> None:
    key = await gate.key("secretive", Role.WORKER)

    await register(local, registrationToken=key)
    await local.post("/api/workers/register", json={"hostname": "h", "registrationToken": key}, headers=bearer(key))

    kept = await gate.execute("SELECT raw FROM workers WHERE tenant = 'secretive'")
    assert len(kept) == 2
    assert [row for row in kept if key.encode() in bytes(row[0])] == []


async def test_no_key_beats_and_no_other_daemons_token(gate: Gate, local: httpx.AsyncClient) -> None:
    key = await gate.key("beaters", Role.WORKER)
    one, two = (await register(local, registrationToken=key)).json(), await FleetWorker.register(local, key=key)
    aged = gate.aged(one["runtimeJwt"])

    by_keys = [await beat(local, shown, workerId=one["workerId"]) for shown in (key, SHARED_KEY)]
    by_nobody = await local.post("/v1/daemon/heartbeat", json={"workerId": one["workerId"], "activeSessions": 0})
    by_other = await beat(local, two.token or "", workerId=one["workerId"])
    too_old = await beat(local, aged, workerId=one["workerId"])
    of_nobody = await beat(local, one["runtimeJwt"], workerId="wkr_0")

    assert [each.status_code for each in (*by_keys, by_nobody, by_other, too_old, of_nobody)] == [
        *(403, 403, 403, 403, 401, 404)
    ]
    assert (too_old.json()["message"], of_nobody.json()["message"]) == ("Runtime token expired", "Worker not found")


async def test_only_keys_that_may_register_workers_do(gate: Gate, local: httpx.AsyncClient) -> None:
    user, revoked = await gate.key("openers", Role.USER), await gate.revoked_key("openers", Role.WORKER)
    token = (await FleetWorker.register(local)).token

    answers = [
        await register(local, registrationToken=shown)
        for shown in (user, revoked, token, SHARED_KEY, "rsk_live_nobody", "\u00e9", "x y")
    ]

    assert [each.status_code for each in answers] == [403, 401, 401, 401, 401, 401, 401]
    assert {each.json()["message"] for each in answers[1:]} == {"Invalid or missing API key"}
    assert await gate.execute("SELECT id FROM workers WHERE tenant = 'openers'") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"hostname": None},
        {"hostname": ""},
        {"maxAgents": 0},
        {"maxAgents": None},
        {"maxAgents": "4"},
        {"registrationToken": ""},
        {"registrationToken": 1},
        {"activeAgentCount": -1},
        {"status": 1},
    ],
    ids=str,
)
async def test_a_malformed_daemon_is_not_registered(gate: Gate, local: httpx.AsyncClient, wrong: Json) -> None:
    key = await gate.key("bent", Role.WORKER)

    answer = await register(local, **{"registrationToken": key, **wrong})

    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")
    assert answer.json()["message"]
    assert await gate.execute("SELECT id FROM workers WHERE tenant = 'bent'") == []


@pytest.mark.parametrize("missing", ["hostname", "maxAgents", "registrationToken"])
async def test_what_a_daemon_must_say_is_asked_for(local: httpx.AsyncClient, missing: str) -> None:
    said = {**DAEMON, "registrationToken": "rsk_live_nobody"}
    del said[missing]

    answer = await local.post("/v1/daemon/register", json=said)

    assert (answer.status_code, missing in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("wrong", [{"workerId": None}, {"workerId": 1}, {"activeSessions": "2"}], ids=str)
async def test_a_malformed_heartbeat_of_a_daemon_is_refused(gate: Gate, local: httpx.AsyncClient, wrong: Json) -> None:
    told = (await register(local, registrationToken=await gate.key("beats", Role.WORKER))).json()

    answer = await beat(local, told["runtimeJwt"], **{"workerId": told["workerId"], **wrong})

    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")
