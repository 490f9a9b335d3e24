"""What is kept of what workers say of themselves: not too much, and no keys."""

import json

import httpx
import pytest

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, Json, bearer
from tests.harness.worker import FleetWorker

KEY = "rsk_live_" + "A" * 43
TOO_MANY = ["p"] * 201
REFUSED: dict[str, Json] = {
    "very many projects": {"projects": TOO_MANY},
    "very many ids of projects": {"projectIds": TOO_MANY},
    "very many agents": {"agentIds": TOO_MANY},
    "an agent that is too long": {"agentIds": ["a" * 256]},
    "very many capabilities": {"capabilities": TOO_MANY},
    "a capability that is too long": {"capabilities": ["c" * 256]},
    "a capability in words": {"capabilities": "local"},
    "capabilities by name": {"capabilities": {"local": True}},
}


async def test_a_registration_has_lists_of_200_texts_of_255_letters_and_no_longer_ones(
    local: httpx.AsyncClient,
) -> None:
    most = {each: ["n" * 255] * 200 for each in ("projects", "capabilities")}

    taken = await local.post("/api/workers/register", json={"hostname": "h", **{each: ["n" * 255] for each in most}})
    refused = {
        name: (await local.post("/api/workers/register", json={"hostname": "h", **said})).status_code
        for name, said in REFUSED.items()
    }
    in_all = await local.post("/api/workers/register", json={"hostname": "h", **most})

    assert taken.status_code == 201
    assert refused == dict.fromkeys(REFUSED, 400)
    # Each list is well, but both together are more than is kept.
    assert in_all.status_code == 413


async def test_64_kib_are_kept_and_more_is_refused(local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local)
    path, room = f"/api/workers/{worker.id}/heartbeat", (64 << 10) - len('{"activeCount":0,"note":""}')

    taken = await _posted(local, path, '{"activeCount":0,"note":"%s"}' % ("x" * room), worker.headers)
    refused = await _posted(local, path, '{"activeCount":0,"note":"%s"}' % ("x" * (room + 1)), worker.headers)
    newcomer = await local.post("/api/workers/register", json={"hostname": "h", "note": "x" * (64 << 10)})
    shown = (await local.get(f"/api/workers/{worker.id}")).json()

    assert (taken.status_code, refused.status_code, newcomer.status_code) == (200, 413, 413)
    assert shown["heartbeat"]["note"] == "x" * room


async def test_keys_are_kept_nowhere_in_what_a_worker_says(gate: Gate, local: httpx.AsyncClient) -> None:
    key, operator = await gate.key("keepers", Role.WORKER), await gate.key("keepers", Role.OPERATOR)
    body = {"hostname": "h", "deep": [{"env": {"K": KEY}}], "header": f"Bearer {key}", KEY: 1, "n": 'a\\b"rsk_live'}
    text = json.dumps(body).replace("rsk_live_AAAA", "rsk\\u005flive_AAAA").replace('"n"', '"f": 1e3, "n"')
    registered = await _posted(local, "/api/workers/register", text, bearer(key))
    worker = FleetWorker(local, registered.json())
    beat = {"activeCount": 0, "mine": worker.token, "its": [key]}

    await local.post(f"/api/workers/{worker.id}/heartbeat", json=beat, headers=worker.headers)
    daemon = {"registrationToken": key, "hostname": "d", "maxAgents": 1, "again": key}
    told = (await local.post("/v1/daemon/register", json=daemon)).json()
    shown = (await local.get(f"/api/workers/{worker.id}", headers=bearer(operator))).json()
    of_daemon = (await local.get(f"/api/workers/{told['workerId']}", headers=bearer(operator))).json()

    masked = {"hostname": "h", "deep": [{"env": {"K": "***"}}], "header": "***", "***": 1, "f": 1000.0, "n": body["n"]}
    assert shown["registration"] == masked
    assert shown["heartbeat"] == {"activeCount": 0, "mine": "***", "its": ["***"]}
    assert of_daemon["registration"] == {"hostname": "d", "maxAgents": 1, "again": "***"}


async def test_the_shared_key_is_not_kept_either(local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local, key=SHARED_KEY, note=SHARED_KEY)

    shown = (await local.get(f"/api/workers/{worker.id}")).json()

    assert shown["registration"]["note"] == "***"


@pytest.mark.parametrize("path", ["/api/sessions/a%00b/token-delta", "/api/sessions/%00/status"])
async def test_a_session_that_cannot_be_is_none(local: httpx.AsyncClient, path: str) -> None:
    worker = await FleetWorker.register(local)
    said = {"turnId": "t", "frames": [], "status": "running"}

    for who in (worker.headers, bearer(SHARED_KEY)):
        answer = await local.post(path, json=said | {"workerId": worker.id}, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (404, "work-session-not-found")


async def test_a_nul_or_half_a_character_in_the_work_of_a_lane_is_replaced(local: httpx.AsyncClient) -> None:
    answer = await _posted(local, "/api/work/lanes/kg-extract", '{"projectId": "\\u0000", "n": "\\ud83d"}', {})

    assert (answer.status_code, answer.json()["payload"]) == (201, {"projectId": "\ufffd", "n": "\ufffd"})


async def test_a_look_is_for_a_thousand_questions(local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local)
    path = f"/api/workers/{worker.id}/watch"

    def watched(*counts: int) -> Json:
        return {"sessions": [{"sessionId": "wse_1", "claim": 1, "questions": ["q"] * count} for count in counts]}

    taken = await local.post(path, json=watched(600, 400), headers=worker.headers)
    refused = await local.post(path, json=watched(600, 401), headers=worker.headers)

    assert (taken.status_code, refused.status_code) == (200, 400)


async def _posted(http: httpx.AsyncClient, path: str, body: str, headers: dict[str, str]) -> httpx.Response:
    return await http.post(path, content=body.encode(), headers={**headers, "Content-Type": "application/json"})
