"""Two servers on one PostgreSQL learn as one."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from tests.edge.deadline import seconds_until
from tests.fleet.gate import Gate
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker
from tests.routing.claimed import WORK, Claimed, Claims

PAIRS = 100
PAIRS_OF_A_CAMPAIGN = int(os.environ.get("ROUNDS", "1000"))
AT_ONCE = 50


@pytest.fixture
async def both(
    postgres: PostgresCluster, make_server: Callable[..., ServerProcess], tmp_path: Path
) -> AsyncIterator[tuple[Claimed, Claimed]]:
    """One session, as it is reached by two servers."""
    ensure_key_file(tmp_path / "keys")
    url = await postgres.create_database_async()
    settings = {"key_file": tmp_path / "keys", "routing_selector_enabled": "true", "routing_exploration_rate": 0}
    gates = [Gate(make_server(url, **settings).start(), tmp_path / "keys") for _ in range(2)]
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(gate.client()) for gate in gates]
        session = await Claims(gates[0], here, stack)()
        other = FleetWorker(there, session.worker.registered)
        yield session, replace(session, worker=other)


async def count_once(both: tuple[Claimed, Claimed], pairs: int) -> float:
    """Let both servers be told the same at the same time, and return how often it has counted."""
    room = asyncio.Semaphore(AT_ONCE)

    async def tell(session: Claimed, number: int) -> None:
        async with room:
            assert await session.observe("claude", 1.0, observationId=str(number)) == {"recorded": True}

    await asyncio.gather(*(tell(session, number) for number in range(pairs) for session in both))
    arm = (await both[0].arms())["claude", WORK]
    assert arm["totalObservations"] == arm["alpha"] - 1.0
    return float(arm["totalObservations"])


async def test_pairs_that_race_by_two_servers_count_once_each(both: tuple[Claimed, Claimed]) -> None:
    assert await count_once(both, PAIRS) == PAIRS


async def test_what_one_server_has_learnt_the_other_one_knows_soon(both: tuple[Claimed, Claimed]) -> None:
    here, there = both
    assert (await there.select("claude"))["expectedReward"] == 0.5

    await here.observe("claude", 1.0)

    async def is_known() -> bool:
        return bool((await there.select("claude"))["expectedReward"] > 0.5)

    await seconds_until(is_known, within=5)


@pytest.mark.campaign
async def test_b17_racing_pairs(both: tuple[Claimed, Claimed]) -> None:
    counted = await count_once(both, PAIRS_OF_A_CAMPAIGN)
    print(f"\nB17 pairs {counted:.0f} / {PAIRS_OF_A_CAMPAIGN}")

    assert counted == PAIRS_OF_A_CAMPAIGN
