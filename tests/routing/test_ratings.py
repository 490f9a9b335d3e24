"""Clients rate runs that have ended: once each, and whoever did the run learns of it once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import Json
from tests.routing.candidates import arms, new_work, observed, run, written
from tests.routing.conftest import ROUTED_AGENTS


@pytest.fixture
async def client(routing_agents: ServerProcess) -> AsyncIterator[Client]:
    """A client of the agent that chooses."""
    async with Client(routing_agents.url, "chooses") as client:
        yield client


async def _rate(client: Client, run: Json, rating: Any) -> httpx.Response:
    path = f"{client.path(run['sessionId'])}/runs/{run['runtimeRunId']}/rating"
    return await client.http.post(path, json={"rating": rating})


async def test_a_rating_is_shown_with_its_run_and_learnt_of_once(client: Client) -> None:
    work = new_work()
    done = await run(client, f"say {work}")

    first, again = await _rate(client, done, 0.25), await _rate(client, done, 0.25)
    other = await _rate(client, done, 0.75)

    listed = await client.http.get(f"/sessions/{done['sessionId']}/branches/main/runs")
    seen, end = await observed(client, work)
    (arm,) = (await arms(client, work)).values()
    assert (first.status_code, first.json()) == (200, {**done, "rating": 0.25})
    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "run-already-rated")
    assert listed.json() == [first.json()]
    assert await client.run(done["sessionId"], done["runtimeRunId"]) == first.json()
    assert (seen["provider"], seen["reward"], seen["sessionId"]) == (end["provider"], 0.25, done["sessionId"])
    assert (arm["totalObservations"], arm["beta"]) == (2, 1.75)


async def test_a_run_of_which_nothing_was_learnt_is_rated_all_the_same(
    client: Client, routing_agents: ServerProcess
) -> None:
    work = new_work()
    session = await client.session()
    accepted = await client.accepted(session, f"wait {work}")
    stopped = {"sessionId": session, **accepted}
    await written(routing_agents.folder / f"chosen-{work}", 1)

    early = await _rate(client, stopped, 1)
    queued = await client.http.post(
        f"{client.path(session)}/inputs", json={"text": "x y", "runningRunBehavior": "queue"}
    )
    waiting = await _rate(client, {"sessionId": session, **queued.json()}, 1)
    await client.http.delete(f"{client.path(session)}/queue/{queued.json()['runtimeRunId']}")
    await client.http.post(f"{client.path(session)}/interrupt", json={})
    await client.ended(session, accepted["runtimeRunId"])
    rated = await _rate(client, stopped, 1)

    assert [(answer.status_code, answer.json()["code"]) for answer in (early, waiting)] == [(409, "run-not-ended")] * 2
    assert (rated.status_code, rated.json()["status"], rated.json()["rating"]) == (200, "cancelled", 1)
    assert [seen["reward"] for seen in await observed(client, work)] == [1]


async def test_a_run_that_nobody_was_chosen_for_keeps_its_rating(client: Client) -> None:
    client.agent = "demo"
    done = await run(client, "Hello")

    assert '"rating":0.0' in (await _rate(client, done, -0.0)).text
    assert (await _rate(client, done, 0)).status_code == 200
    assert (await client.run(done["sessionId"], done["runtimeRunId"]))["rating"] == 0
    assert not await arms(client, "demo")


@pytest.mark.parametrize("rating", [-0.01, 1.01, True, None, "1", [1], 1e999])
async def test_what_is_no_rating_is_refused_and_an_unknown_run_is_not_found(client: Client, rating: Any) -> None:
    done = await run(client, f"say {new_work()}")
    path = f"{client.path(done['sessionId'])}/runs/{done['runtimeRunId']}/rating"
    body = f'{{"rating": {"1e999" if rating == 1e999 else httpx.Request("POST", "/", json=rating).content.decode()}}}'

    refused = await client.http.post(path, content=body)
    missing = await _rate(client, {**done, "runtimeRunId": "run_none"}, 1)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")
    assert (missing.status_code, missing.json()["code"]) == (404, "run-not-found")
    assert "rating" not in await client.run(done["sessionId"], done["runtimeRunId"])


async def test_of_ratings_that_race_one_is_kept_and_learnt_of(client: Client) -> None:
    same, different = new_work(), new_work()
    of_same, of_different = await run(client, f"say {same}"), await run(client, f"say {different}")

    alike = await asyncio.gather(*(_rate(client, of_same, 0.5) for _ in range(12)))
    unlike = await asyncio.gather(*(_rate(client, of_different, number / 12) for number in range(12)))

    kept = (await client.run(of_different["sessionId"], of_different["runtimeRunId"]))["rating"]
    assert {answer.status_code for answer in alike} == {200}
    assert sorted(answer.status_code for answer in unlike) == [200] + [409] * 11
    assert [answer.json()["rating"] for answer in unlike if answer.status_code == 200] == [kept]
    assert [seen["reward"] for seen in await observed(client, same)][:1] == [0.5]
    assert len(await observed(client, same)) == len(await observed(client, different)) == 2


async def test_a_rating_is_learnt_of_once_across_kill_9(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server, work = make_server(database_url, ROUTED_AGENTS, routing_selector_enabled="true").start(), new_work()
    async with Client(server.url, "chooses") as client:
        runs = await asyncio.gather(*(run(client, f"say {work}") for _ in range(12)))
        under_way = [asyncio.create_task(_rate(client, each, 0.5)) for each in runs]
        await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

        server.kill()
        await asyncio.gather(*under_way, return_exceptions=True)
    server.start()

    async with Client(server.url, "chooses") as client:
        again = await asyncio.gather(*(_rate(client, each, 0.5) for each in runs))
        seen = await observed(client, work)
        assert {answer.status_code for answer in again} == {200}
        assert sorted(each["sessionId"] for each in seen if each["reward"] == 0.5) == sorted(
            each["sessionId"] for each in runs
        )
        assert sum(arm["totalObservations"] for arm in (await arms(client, work)).values()) == 24
