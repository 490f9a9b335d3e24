"""B4: whatever worker dies, its work is offered again in time; what kills every worker is given up after the limit."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.fleet.conftest import SHARED_KEY
from tests.fleet.offers import Offered, item_within, offer, told_within
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, Json, define_worker_agent

GRACE: Final = timedelta(seconds=2)
MORTAL: Final = Path(__file__).with_name("mortal_worker.py")

StartServer = Callable[[float, int], ServerProcess]


@pytest.fixture
def start(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> StartServer:
    """Start a server with so short a lease, which gives up after so many losses."""

    def begin(lease: float, attempts: int) -> ServerProcess:
        settings = {"worker_lease_seconds": lease, "worker_attempts": attempts, "worker_api_key": SHARED_KEY}
        return make_server(database_url, key_file=key_file, **settings).start()

    return begin


@dataclass(frozen=True)
class Deaths:
    """How many workers die how: silently, by `kill -9`, and one after the other with the same item."""

    silent: int
    killed: int
    poisoned: int
    lease: float
    limit: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.silent + self.killed + self.poisoned * self.limit


async def test_work_of_dead_workers_is_offered_again_in_time_and_given_up_after_the_limit(start: StartServer) -> None:
    await _die(start, Deaths(silent=8, killed=1, poisoned=1, lease=0.5, limit=3))


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_b4_two_hundred_workers_die(start: StartServer) -> None:
    await _die(start, Deaths(silent=150, killed=10, poisoned=8, lease=2.0, limit=5))


async def _die(start: StartServer, deaths: Deaths) -> None:
    async with Client(start(deaths.lease, deaths.limit).url) as client:
        fine = await define_worker_agent(client.http, "fine")
        deadly = await define_worker_agent(client.http, "deadly")
        poison = [await offer(client, deadly) for _ in range(deaths.poisoned)]
        offered = [await offer(client, fine) for _ in range(deaths.silent + deaths.killed)]
        killing = asyncio.gather(*(_kill_one(client, fine) for _ in range(deaths.killed)))
        poisoning = asyncio.gather(*(_die_of(client, deadly, deaths) for _ in poison))
        killed = dict(await killing)
        await asyncio.gather(*(_fall_silent(client, fine) for _ in range(deaths.silent)))
        heir = await FleetWorker.register(client.http, capacity=len(offered), agentIds=[fine])
        await _inherit(heir, len(offered))
        await poisoning
        delays = [delay for one in offered for delay in await _delays(client, one, killed)]
        runs = [await client.ended(each.session, each.run) for each in offered]
        losses = [await _losses(client, each) for each in poison]
        dead = (await client.http.get("/api/work/dead")).json()["items"]

    in_time = sum(each <= timedelta(seconds=deaths.lease) + GRACE for each in delays)
    lost = deaths.silent + deaths.killed
    print(f"B4: {deaths.total} deaths, {in_time} of {lost} requeued in time, the last after {max(delays)}")
    assert (in_time, len(delays)) == (lost, lost)
    assert [run["status"] for run in runs] == ["completed"] * len(offered)
    assert losses == [[False] * (deaths.limit - 1) + [True]] * deaths.poisoned
    assert sorted(each["sourceSessionId"] for each in dead) == sorted(each.session for each in poison)


async def _fall_silent(client: Client, agent: str) -> None:
    worker = await FleetWorker.register(client.http, capacity=1, agentIds=[agent])
    await item_within(worker, 30)


async def _kill_one(client: Client, agent: str) -> tuple[str, datetime]:
    """Let a process claim an item, kill it, and say which worker it was and when."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(MORTAL), client.base, agent, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        worker = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
    finally:
        process.kill()
        now = datetime.now(UTC)
        await process.wait()
    return worker, now


async def _die_of(client: Client, agent: str, deaths: Deaths) -> None:
    for _ in range(deaths.limit):
        worker = await FleetWorker.register(client.http, capacity=1, agentIds=[agent])
        await item_within(worker, 60)


async def _inherit(heir: FleetWorker, items: int) -> None:
    """Do the work of all who died."""
    done = 0
    async with asyncio.timeout(60):
        while done < items:
            for item in (await heir.poll())["work"]:
                await heir.told(item["sessionId"], "status", status="completed")
                done += 1


async def _delays(client: Client, offered: Offered, killed: dict[str, datetime]) -> list[timedelta]:
    """Return how long after the last word of each of its workers an item was on offer again."""
    heard: dict[str, datetime] = {}
    delays: list[timedelta] = []
    for event in await client.log(offered.session):
        if event["type"] == "WORK_CLAIMED":
            heard[event["workerId"]] = killed.get(event["workerId"], _at(event))
        elif event["type"] == "WORK_RETURNED":
            delays.append(_at(event) - heard[event["workerId"]])
    return delays


async def _losses(client: Client, poison: Offered) -> list[bool]:
    await told_within(client, poison.session, "BRANCH_RUN_COMPLETED", 60)
    return [event["isGivenUp"] for event in await client.log(poison.session) if event["type"] == "WORK_RETURNED"]


def _at(event: Json) -> datetime:
    return datetime.fromisoformat(event["timestamp"])
