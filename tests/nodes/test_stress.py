"""Everything at once at two servers, on few branches: nothing is locked for good, no wake is lost, no log disagrees."""

import asyncio
import random
from collections.abc import Callable

import httpx
import pytest

from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally, rounds, seed
from tests.nodes.pair import same_log

Make = Callable[..., ServerProcess]

SESSIONS = 4
HANDS = 12
DOES = ("input", "input", "queue", "interrupt", "branch", "fork", "patch", "delete", "read")


async def test_two_servers_that_do_everything_at_once_on_few_branches_stay_in_order(
    make_server: Make, postgres: PostgresCluster
) -> None:
    await _stress(make_server, postgres, 15, Tally("nodes-stress"))


@pytest.mark.campaign
@pytest.mark.timeout(1200)
async def test_nodes_stress_everything_at_once_for_long(make_server: Make, postgres: PostgresCluster) -> None:
    await _stress(make_server, postgres, rounds(200), Tally("nodes-stress"))


async def _stress(make_server: Make, postgres: PostgresCluster, each: int, tally: Tally) -> None:
    url = await postgres.create_database_async()
    one, other = make_server(url).start(), make_server(url).start()
    async with Client(one.url) as here, Client(other.url) as there:
        sessions = [await here.session() for _ in range(SESSIONS)]
        chances = [random.Random(f"{seed()} {hand}") for hand in range(HANDS)]
        async with asyncio.timeout(30 + 2 * each):
            await asyncio.gather(
                *(_hand(chance, (here, there), sessions, each, tally, number) for number, chance in enumerate(chances))
            )
        for session in sessions:
            for branch in await _branches(here, session):
                await seconds_until(lambda: _is_idle(there, session, branch), within=60)  # noqa: B023
                check_log(await there.log(session, branch))
                if branch == "main":
                    await same_log(session, here, there)
    tally.close()
    said = one.errors.read_text() + other.errors.read_text()
    assert '"level": "error"' not in said
    assert '"level": "critical"' not in said


async def _hand(
    chance: random.Random, clients: tuple[Client, Client], sessions: list[str], times: int, tally: Tally, number: int
) -> None:
    """Do one thing after the other at whichever server; each must be answered, and none by a fault."""
    for turn in range(times):
        client, session = chance.choice(clients), chance.choice(sessions)
        branch = chance.choice(await _branches(client, session))
        answer = await _do(chance.choice(DOES), client, session, branch, f"b{number}-{turn}")
        tally.add(*([answer.text[:200]] if answer.status_code >= 500 else []))


async def _do(what: str, client: Client, session: str, branch: str, name: str) -> httpx.Response:
    path, plain = client.path(session, branch), f"/sessions/{session}/branches/{branch}"
    match what:
        case "input" | "queue":
            behavior = "reject" if what == "input" else "queue"
            said = {"text": "/tokens 10 2", "runningRunBehavior": behavior}
            return await client.http.post(f"{path}/inputs", json=said)
        case "interrupt":
            return await client.http.post(f"{path}/interrupt", json={})
        case "branch":
            return await client.http.post(f"/agents/demo/sessions/{session}/branches", json={"branchId": name})
        case "fork":
            events = await client.http.get(f"{plain}/events")
            begun = (
                [event for event in events.json() if event["type"] == "BRANCH_RUN_STARTED"] if events.is_success else []
            )
            message = begun[0]["messageId"] if begun else "none"
            return await client.http.post(f"{path}/fork", json={"fromMessageId": message, "newBranchId": name})
        case "patch":
            return await client.http.patch(plain, json={"name": name})
        case "delete":
            return await client.http.delete(f"{plain}?recursive=true&force=true")
        case _:
            return await client.http.get(f"{plain}/events")


async def _branches(client: Client, session: str) -> list[str]:
    listed = (await client.http.get(f"/sessions/{session}/branches")).json()
    return [each["id"] for each in listed]


async def _is_idle(client: Client, session: str, branch: str) -> bool:
    runs = (await client.http.get(f"/sessions/{session}/branches/{branch}/runs")).json()
    return all(run["status"] not in {"active", "queued"} for run in runs)
