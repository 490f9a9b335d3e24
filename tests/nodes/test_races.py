"""Two servers race for one branch, pair by pair: one run has it, and the other is refused or waits."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.tally import Tally, percentile, rounds, seed

Make = Callable[..., ServerProcess]

POLICIES = ("reject", "queue", "interrupt")
AT_ONCE = 4
_ACTIVE_TWICE = (
    "SELECT branch_key FROM runs WHERE status = 'active' GROUP BY branch_key HAVING count(*) > 1 "
    "UNION ALL SELECT branch_key FROM events GROUP BY branch_key HAVING sum(last_seq - first_seq + 1) <> max(last_seq)"
)


async def test_of_two_inputs_at_once_at_two_servers_one_has_the_branch(make_server: Make, database_url: str) -> None:
    tally = Tally("b1")

    await _race(make_server, database_url, 12, tally)

    tally.close()


@pytest.mark.campaign
@pytest.mark.timeout(1200)
async def test_b1_a_thousand_pairs_race_for_a_branch(make_server: Make, database_url: str) -> None:
    tally = Tally(f"b1 on {database_url.partition('+')[0]}")

    apart = await _race(make_server, database_url, rounds(1000), tally)

    tally.close(f"of each pair the answers came {percentile(apart, 50) * 1000:.1f} ms apart, p50")


async def _race(make_server: Make, database_url: str, pairs: int, tally: Tally) -> list[float]:
    """Let pairs of inputs race, on SQLite at one server; return how far apart the answers of each pair were."""
    chance, apart = random.Random(seed()), list[float]()
    servers = [make_server(database_url).start()]
    if database_url.startswith("postgresql"):
        servers.append(make_server(database_url).start())
    async with Client(servers[0].url) as one, Client(servers[-1].url) as other:
        wishes = [[chance.choice(POLICIES), chance.choice(POLICIES)] for _ in range(pairs)]
        for start in range(0, pairs, AT_ONCE):
            tried = await asyncio.gather(*(_pair(one, other, wish) for wish in wishes[start : start + AT_ONCE]))
            for faults, seconds in tried:
                tally.add(*faults)
                apart.append(seconds)
    twice = await RawStore(database_url).run(_ACTIVE_TWICE)
    assert twice == []
    return apart


async def _pair(one: Client, other: Client, wishes: list[str]) -> tuple[list[str], float]:
    session, barrier = await one.session(), asyncio.Barrier(2)
    loop, answered = asyncio.get_running_loop(), list[float]()

    async def send(client: Client, wish: str) -> httpx.Response:
        # The connection is there before: what races are the inputs.
        assert (await client.http.get("/healthz")).status_code == 200
        await barrier.wait()
        body = {"text": "/permission", "runningRunBehavior": wish}
        answer = await client.http.post(f"{client.path(session)}/inputs", json=body)
        answered.append(loop.time())
        return answer

    answers = await asyncio.gather(send(one, wishes[0]), send(other, wishes[1]))
    faults = _faults(wishes, answers)
    runs = (await other.http.get(f"/sessions/{session}/branches/main/runs")).json()
    if sum(run["status"] == "active" for run in runs) != 1:
        faults.append(f"{[run['status'] for run in runs]} are its runs")
    await _end(one, session)
    faults += _faults_of_log(await other.log(session))
    return faults, abs(answered[0] - answered[1])


def _faults(wishes: list[str], answers: list[httpx.Response]) -> list[str]:
    """Return what is wrong with two answers: one got the branch, and the other what it had wished for then."""
    said = [answer.json() for answer in answers]
    active = [index for index, each in enumerate(said) if each.get("status") == "active"]
    if len(active) != 1:
        return [f"{len(active)} are active: {[answer.status_code for answer in answers]}"]
    second = 1 - active[0]
    if wishes[second] == "reject":
        good = (answers[second].status_code, said[second].get("code")) == (409, "branch-run-active")
    else:
        good = (answers[second].status_code, said[second].get("status")) == (202, "queued")
    return [] if good else [f"{wishes[second]} was answered {answers[second].text[:200]}"]


def _faults_of_log(log: list[dict[str, Any]]) -> list[str]:
    """Return where a second run began before the first had ended."""
    faults, active = list[str](), set[str]()
    for event in log:
        if event["type"] == "BRANCH_RUN_STARTED":
            if active:
                faults.append(f"{event['eventId']} begins a second run")
            active.add(event["runtimeRunId"])
        elif event["type"] == "BRANCH_RUN_COMPLETED":
            active.discard(event["runtimeRunId"])
    return faults


async def _end(client: Client, session: str) -> None:
    """End what is left of a pair, one after the other, or a thousand runs would wait for an answer."""

    async def is_idle() -> bool:
        answer = await client.http.post(f"{client.path(session)}/interrupt", json={})
        return bool(answer.status_code == 409)

    await seconds_until(is_idle, within=30)
