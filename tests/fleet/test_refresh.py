"""How a worker keeps its name: its tokens end, its server restarts, and it is still who it was."""

import httpx
import pytest

from hosting.domain.identity import Role
from hosting.domain.secret import Secret
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, bearer
from tests.harness.worker import FleetWorker
from tests.identity.tokens import tokens_of


async def refresh(http: httpx.AsyncClient, worker_id: str, shown: str) -> httpx.Response:
    """Ask for a new token."""
    return await http.post(f"/api/workers/{worker_id}/refresh-token", json={}, headers=bearer(shown))


async def polls(http: httpx.AsyncClient, worker_id: str, shown: str) -> int:
    """Poll, and return the status."""
    return (await http.get(f"/api/workers/{worker_id}/poll", headers=bearer(shown))).status_code


async def test_a_fresh_token_polls_and_another_workers_or_one_that_is_too_old_does_not(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    worker, other = await FleetWorker.register(local), await FleetWorker.register(local)
    assert worker.token is not None
    path = f"/api/workers/{worker.id}/poll"

    own = await local.get(path, headers=worker.headers)
    others = await local.get(path, headers=other.headers)
    too_old = await local.get(path, headers=bearer(gate.aged(worker.token)))

    assert (own.status_code, others.status_code, too_old.status_code) == (200, 403, 401)
    assert too_old.json()["message"] == "Runtime token expired"


async def test_a_token_is_renewed_by_the_key_and_by_itself_however_old_it_is(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    key = await gate.key("renewers", Role.WORKER)
    worker = await FleetWorker.register(local, key=key)
    assert worker.token is not None

    answers = [await refresh(local, worker.id, shown) for shown in (key, worker.token, gate.aged(worker.token))]

    renewed = [answer.json() for answer in answers]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [each["workerId"] for each in renewed] == [worker.id] * 3
    assert [each["runtimeTokenExpiresAt"] for each in renewed] == [each["expiresAt"] for each in renewed]
    assert [(each["heartbeatInterval"], each["pollInterval"]) for each in renewed] == [(30000, 5000)] * 3
    assert [await polls(local, worker.id, each["runtimeToken"]) for each in renewed] == [200, 200, 200]
    assert {tokens_of(gate.key_file).read(Secret(each["runtimeToken"])).tenant for each in renewed} == {"renewers"}


async def test_a_token_that_is_too_old_opens_nothing_but_its_own_renewal(gate: Gate, local: httpx.AsyncClient) -> None:
    worker, other = await FleetWorker.register(local), await FleetWorker.register(local)
    assert worker.token is not None
    aged = bearer(gate.aged(worker.token))

    asked = [
        await local.request(method, path, json={"activeCount": 0}, headers=aged)
        for method, path in (
            ("POST", f"/api/workers/{other.id}/refresh-token"),
            ("POST", f"/api/workers/{worker.id}/heartbeat"),
            ("DELETE", f"/api/workers/{worker.id}"),
            ("PUT", f"/api/workers/{worker.id}/refresh-token"),
            ("POST", f"/api/workers/{worker.id}/refresh-token/more"),
            ("POST", "/v1/daemon/heartbeat"),
            ("POST", "/api/workers/register"),
        )
    ]

    refused = [(each.status_code, each.json()["message"]) for each in asked]
    assert refused == [(401, "Runtime token expired")] * 7


async def test_nobody_else_renews_a_workers_token(gate: Gate, local: httpx.AsyncClient) -> None:
    key, web = await gate.key("keepers", Role.WORKER), await gate.key("keepers", Role.WORKER, "web")
    worker = await FleetWorker.register(local, key=key)
    other = await FleetWorker.register(local, key=key)
    stranger = await gate.key("strangers", Role.WORKER)
    user = await gate.key("keepers", Role.USER)
    assert worker.token is not None
    assert other.token is not None

    by = {
        "another worker": await refresh(local, worker.id, other.token),
        "another project": await refresh(local, worker.id, web),
        "a user": await refresh(local, worker.id, user),
        "another tenant": await refresh(local, worker.id, stranger),
        "a forger": await refresh(local, worker.id, worker.token[:-4] + "AAAA"),
    }

    assert {who: answer.status_code for who, answer in by.items()} == {
        "another worker": 403,
        "another project": 403,
        "a user": 403,
        "another tenant": 404,
        "a forger": 401,
    }
    assert by["another tenant"].json()["message"] == "Worker not found"


async def test_who_has_the_shared_key_needs_no_token_and_gets_none(local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local, key=SHARED_KEY)

    answer = await refresh(local, worker.id, SHARED_KEY)

    assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")


@pytest.mark.parametrize("body", [b"[]", b"{", b'"x"', b"null"])
async def test_a_malformed_renewal_is_refused(local: httpx.AsyncClient, body: bytes) -> None:
    worker = await FleetWorker.register(local)
    headers = {**worker.headers, "Content-Type": "application/json"}

    answer = await local.post(f"/api/workers/{worker.id}/refresh-token", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")
    assert answer.json()["message"]


async def test_a_worker_that_is_gone_is_told_so_by_404_alone(local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local)
    assert worker.token is not None
    await local.delete(f"/api/workers/{worker.id}", headers=worker.headers)

    gone = await refresh(local, worker.id, worker.token)
    unknown = await local.post("/api/workers/wkr_0123456789abcdef/refresh-token", json={})

    assert [(each.status_code, each.json()["message"]) for each in (gone, unknown)] == [(404, "Worker not found")] * 2


async def test_a_worker_outlives_restarts_of_the_server_and_days_of_silence(gate: Gate) -> None:
    key = await gate.key("lasting", Role.WORKER)
    async with gate.client() as before:
        worker = await FleetWorker.register(before, key=key, projects=["web"])
    assert worker.token is not None
    await gate.fall_silent(worker, 7 * 86_400)

    gate.server.terminate()
    gate.server.start()
    async with gate.client() as after:
        polled = await polls(after, worker.id, worker.token)
        by_itself = await refresh(after, worker.id, gate.aged(worker.token))
        by_key = await refresh(after, worker.id, key)
        record = (await after.get(f"/api/workers/{worker.id}", headers=bearer(key))).json()

    assert (polled, by_itself.status_code, by_key.status_code) == (200, 200, 200)
    assert by_itself.json()["workerId"] == by_key.json()["workerId"] == worker.id
    assert (record["projects"], record["status"]) == (["web"], "offline")
