"""A PostgreSQL that goes away is a 503, and nothing is lost when it comes back."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from hosting import create_app
from hosting.settings import Settings
from tests.edge.deadline import seconds_until
from tests.edge.in_process import in_process
from tests.edge.outage import Outage, own_cluster
from tests.edge.problem import problem
from tests.edge.whole_log import assert_whole

TOKENS = 1500
LEASE_SECONDS = 2.5
BACK_WITHIN_SECONDS = 5
BRANCH = "/agents/demo/sessions/s1/branches/main"


@pytest.fixture
def outage() -> Iterator[Outage]:
    """A PostgreSQL of this test's own."""
    with own_cluster() as outage:
        yield outage


async def test_a_database_that_goes_away_answers_503_and_loses_nothing(outage: Outage) -> None:
    url = await outage.cluster.create_database_async()
    settings = Settings(database_url=url, lease_seconds=LEASE_SECONDS, sweep_seconds=0.2)
    async with in_process(create_app(settings=settings)) as client:
        assert (await client.post("/sessions", json={"sessionId": "s1"})).status_code == 201
        accepted = (await client.post(f"{BRANCH}/inputs", json={"text": f"/tokens {TOKENS} 1"})).json()
        run = f"{BRANCH}/runs/{accepted['runtimeRunId']}"
        await seconds_until(lambda: _says(client, f"{BRANCH}/events", "tok100 "), within=20)

        await asyncio.to_thread(outage.begin)
        answers = await _answers_for(client, run, seconds=2 * LEASE_SECONDS)
        await asyncio.to_thread(outage.end)

        reads_after = await seconds_until(lambda: _answers(client, "GET", run), within=BACK_WITHIN_SECONDS)
        writes_after = await seconds_until(lambda: _answers(client, "POST", "/sessions"), within=BACK_WITHIN_SECONDS)
        await seconds_until(lambda: _says(client, run, '"completedAt"'), within=60)
        ended = (await client.get(run)).json()
        log = (await client.get(f"{BRANCH}/events")).json()

    codes = {problem(answer)["code"] for answer in answers}
    assert codes == {"storage-unavailable", "not-ready"}
    assert reads_after + writes_after < BACK_WITHIN_SECONDS
    assert ended["status"] == "completed", ended
    assert_whole(log, TOKENS)


async def _answers_for(client: httpx.AsyncClient, run: str, *, seconds: float) -> list[httpx.Response]:
    """Ask for everything again and again; return all the answers."""
    loop = asyncio.get_running_loop()
    until, answers = loop.time() + seconds, []
    while loop.time() < until:
        for path in ("/sessions", "/sessions/s1", BRANCH, run, f"{BRANCH}/events", f"{BRANCH}/events/live", "/readyz"):
            answers.append(await client.get(path))
        answers.append(await client.post("/sessions", json={}))
        answers.append(await client.post("/agents/demo/sessions/s1/branches", json={}))
        answers.append(await client.post(f"{BRANCH}/inputs", json={"text": "a"}))
        assert (await client.get("/healthz")).status_code == 200
        await asyncio.sleep(0.05)
    return answers


async def _answers(client: httpx.AsyncClient, method: str, path: str) -> bool:
    response = await client.request(method, path)
    assert response.status_code in {200, 201, 503}, response.text
    return response.status_code < 300


async def _says(client: httpx.AsyncClient, path: str, text: str) -> bool:
    return text in (await client.get(path)).text
