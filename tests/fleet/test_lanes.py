"""The lanes: work beside the runs, for workers with a token that can do it; and access to repositories."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import offer, offer_all
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.worker import FleetWorker, Json, define_worker_agent

BATCH = {
    "attributionId": "att-1",
    "checkpoint": "30d",
    "prRepo": "acme/web",
    "prNumber": 7,
    "mergeSha": "abc",
    "needs": {"needsGo": True, "needsNode": False},
}
_DAY = 86_400_000_000
CREDENTIALS = [
    {"token": "a-secret", "cloneUrl": "https://git.example/acme/web.git", "hours": 2},
    {"token": "another-secret", "cloneUrl": "https://git.example/acme/red.git", "project": "red"},
]


@pytest.fixture
def server(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> ServerProcess:
    """A server with credentials."""
    settings = {"git_credentials": json.dumps(CREDENTIALS)}
    return make_server(database_url, key_file=key_file, worker_api_key=SHARED_KEY, **settings).start()


async def test_lanes_are_for_workers_that_can_do_them_outside_of_their_capacity(client: Client) -> None:
    await put_in(client, "batch", **BATCH)
    await put_in(client, "kg-extract", documentId="doc-1")
    await put_in(client, "landing", repoId="repo-1")
    await offer(client, await define_worker_agent(client.http))
    plain = await FleetWorker.register(client.http, capacity=1)
    shared = await FleetWorker.register(client.http, key=SHARED_KEY, capabilities=["merge-queue"], agentIds=["none"])
    able = ["code-survival-scan", "kg-extract-v1", "merge-queue"]
    worker = await FleetWorker.register(client.http, capacity=1, capabilities=able)

    without, by_key = await plain.poll(), await shared.poll()
    first, again = await worker.poll(), await worker.poll()

    lanes = {"batchWork", "kgExtractWork", "landingWork"}
    assert lanes.isdisjoint(without)
    assert lanes.isdisjoint(by_key)
    assert "gitCredentials" not in by_key
    (batch,), (extraction,), (landing,) = (first[lane] for lane in ("batchWork", "kgExtractWork", "landingWork"))
    assert batch["batchJobId"].startswith("batch:due_checkpoint:")
    assert {name: batch[name] for name in BATCH} == BATCH
    assert (batch["contractVersion"], batch["orgId"]) == (1, "local")
    assert batch["resultEndpoint"] == f"{client.base}/api/factory/code-survival/results"
    assert batch["gitCredential"]["token"] == "a-secret"
    assert extraction["documentId"] == "doc-1"
    assert extraction["resultEndpoint"] == f"{client.base}/api/factory/kg-extraction/results"
    assert {"workType": "merge-queue", "orgId": "local", "repoId": "repo-1"}.items() <= landing.items()
    assert [again[lane] for lane in sorted(lanes)] == [[], [], []]
    assert [each["cloneUrl"] for each in first["gitCredentials"]] == [each["cloneUrl"] for each in CREDENTIALS]


async def test_a_result_is_taken_once_from_whoever_shows_what_opens_it(client: Client) -> None:
    await put_in(client, "batch", **BATCH)
    worker = await FleetWorker.register(client.http, capabilities=["code-survival-scan"])
    (work,) = (await worker.poll())["batchWork"]
    result = {"attributionId": "att-1", "checkpoint": "30d", "status": "ok", "headSha": "def"}

    refused = [
        await send(client, work, result, "lrk_wrong"),
        await send(client, work, result, worker.token),
        await client.http.post("/api/factory/code-survival/results", json=result),
        await client.http.post(
            "/api/factory/kg-extraction/results", json=result, headers={"Authorization": f"Bearer {work['resultAuth']}"}
        ),
    ]
    other = await send(client, work, result | {"checkpoint": "90d"})
    taken, again = await send(client, work, result), await send(client, work, result | {"status": "failed"})
    (stored,) = (await client.http.get("/api/work/lanes/batch")).json()["items"]

    assert [(each.status_code, each.json()["message"]) for each in refused] == [(401, "Invalid or missing API key")] * 4
    assert other.status_code == 400
    assert (taken.status_code, taken.json()) == (200, {"accepted": True, "duplicate": False})
    assert (again.status_code, again.json()) == (200, {"accepted": True, "duplicate": True})
    assert (stored["state"], stored["result"], stored["workerId"]) == ("completed", result, worker.id)


async def test_what_nobody_reports_on_goes_to_another_worker_and_is_given_up_after_the_limit(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    impatient = {"lane_lease_seconds": 0.5, "worker_attempts": 2}
    async with Client(make_server(database_url, key_file=key_file, **impatient).start().url) as client:
        await put_in(client, "batch", **BATCH)
        workers = [await FleetWorker.register(client.http, capabilities=["code-survival-scan"]) for _ in range(3)]

        first = await work_within(workers[0])
        second = await work_within(workers[1])
        late = await send(client, first, {"attributionId": "att-1", "checkpoint": "30d"})
        while (await state(client)) != "given_up":
            assert (await workers[2].poll())["batchWork"] == []
        too_late = await send(client, second, {"attributionId": "att-1", "checkpoint": "30d"})

    assert second["batchJobId"] == first["batchJobId"]
    assert second["resultAuth"] != first["resultAuth"]
    assert (late.status_code, too_late.status_code) == (401, 401)


async def test_what_ended_a_month_ago_is_forgotten_when_other_work_comes(client: Client, database_url: str) -> None:
    worker = await FleetWorker.register(client.http, capabilities=["merge-queue"])
    for repository in ("old", "young"):
        await put_in(client, "landing", repoId=repository)
    await worker.poll()
    await put_in(client, "landing", repoId="open")
    store = RawStore(database_url)
    await store.run("UPDATE lane_items SET completed_at = completed_at - CAST(? AS BIGINT)", 29 * _DAY)
    await store.run("UPDATE lane_items SET completed_at = completed_at - CAST(? AS BIGINT) WHERE number = 1", 2 * _DAY)

    await put_in(client, "landing", repoId="new")
    kept = (await client.http.get("/api/work/lanes/landing")).json()["items"]

    assert [item["payload"]["repoId"] for item in kept] == ["new", "open", "young"]


async def test_a_lane_takes_nothing_that_its_workers_could_not_do(client: Client) -> None:
    wrong = {
        "batch": [b"{", b"[]", b"{}", json.dumps(BATCH | {"prNumber": "7"}).encode(), b"\xff"],
        "landing": [b"{}", b'{"repoId": ""}', b'{"repoId": "r", "resultAuth": "mine"}'],
        "kg-extract": [b"7", b'{"projectId": 7}', b'{"x": 1e400}'],
    }

    for lane, bodies in wrong.items():
        for body in bodies:
            refused = await client.http.post(
                f"/api/work/lanes/{lane}", content=body, headers={"Content-Type": "application/json"}
            )
            assert refused.status_code == 400, (lane, body, refused.text)
            assert {"error", "message"} <= refused.json().keys()
        assert (await client.http.get(f"/api/work/lanes/{lane}")).json() == {"items": []}
    unknown = await client.http.post("/api/work/lanes/fast", json={})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Not Found")


async def test_credentials_are_for_the_workers_of_their_project_and_in_no_log(
    client: Client, server: ServerProcess
) -> None:
    agent = await define_worker_agent(client.http, projectName="blue")
    await offer_all(client, agent)
    blue = await FleetWorker.register(client.http, projects=["blue"])

    polled = await blue.poll()

    assert [each["token"] for each in polled["gitCredentials"]] == ["a-secret"]
    assert polled["gitCredentials"][0].keys() == {"token", "cloneUrl", "expiresAt"}
    assert "a-secret" not in server.errors.read_text()


async def put_in(client: Client, lane: str, **work: object) -> Json:
    """Put work into a lane."""
    response = await client.http.post(f"/api/work/lanes/{lane}", json=work)
    assert response.status_code == 201, response.text
    item: Json = response.json()
    return item


async def send(client: Client, work: Json, result: Json, auth: str | None = None) -> httpx.Response:
    """Send a result to where the work says."""
    headers = {"Authorization": f"Bearer {auth or work['resultAuth']}"}
    return await client.http.post(work["resultEndpoint"].removeprefix(client.base), json=result, headers=headers)


async def work_within(worker: FleetWorker) -> Json:
    """Poll until there is work of the lane."""
    while not (work := (await worker.poll())["batchWork"]):
        pass
    one: Json = work[0]
    return one


async def state(client: Client) -> str:
    """Return how the one item of the lane stands."""
    (item,) = (await client.http.get("/api/work/lanes/batch")).json()["items"]
    return str(item["state"])
