"""A server dies, or is paused for longer than it may: the other one goes on, and no reader is the wiser."""

import asyncio
import signal
import time
from collections.abc import Callable

import pytest

from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally, rounds
from tests.nodes.takeover import Reader, begun, faults_of, follow, follow_to_the_end

Make = Callable[..., ServerProcess]

LEASE_SECONDS = 2.0
SWEEP_SECONDS = 0.2
GOAL_SECONDS = LEASE_SECONDS + 1
BUSY_SECONDS = 4
"""More for a machine that has other tests to run meanwhile."""
RUNS = 20


async def test_runs_of_a_killed_server_go_on_at_the_other_and_its_readers_with_them(
    make_server: Make, postgres: PostgresCluster
) -> None:
    tally = Tally("nodes-kill")

    slowest = await _kill(make_server, postgres, 6, tally)

    tally.close(f"taken up after {slowest:.1f} s")
    assert slowest < GOAL_SECONDS + BUSY_SECONDS


@pytest.mark.campaign
@pytest.mark.timeout(300)
async def test_nodes_kill_takes_the_runs_up_within_the_lease_and_a_second(
    make_server: Make, postgres: PostgresCluster
) -> None:
    tally, slowest = Tally("nodes-kill"), 0.0

    for _ in range(rounds(5)):
        slowest = max(slowest, await _kill(make_server, postgres, RUNS, tally))

    tally.close(f"taken up after {slowest:.1f} s, the goal is {GOAL_SECONDS:.1f}")
    assert slowest <= GOAL_SECONDS


async def test_a_server_that_was_paused_past_its_leases_writes_nothing_of_what_it_lost(
    make_server: Make, postgres: PostgresCluster
) -> None:
    tally = Tally("b2")

    await _pause(make_server, postgres, 1, 5, tally)

    tally.close()


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_b2_a_paused_server_of_20_runs_writes_nothing_of_what_it_lost(
    make_server: Make, postgres: PostgresCluster
) -> None:
    tally = Tally("b2")

    closings = await _pause(make_server, postgres, rounds(5), RUNS, tally)

    tally.close(f"streams of the loser that ended gave as reasons {sorted(set(closings)) or 'none: all went on'}")


async def _kill(make_server: Make, postgres: PostgresCluster, runs: int, tally: Tally) -> float:
    """Kill the server that has all runs; return how long it took until the last one was taken up."""
    url = await postgres.create_database_async()
    dying, other = (make_server(url, lease_seconds=LEASE_SECONDS, sweep_seconds=SWEEP_SECONDS) for _ in range(2))
    dying.start()
    other.start()
    async with Client(dying.url) as client, Client(other.url) as elsewhere:
        readers = await begun(client, "/tokens 200 10", runs)
        cut = [asyncio.create_task(follow(client, reader)) for reader in readers]
        await _until(lambda: all(len(reader.ledger) > 20 for reader in readers))
        dying.kill()
        killed_at = time.monotonic()
        await asyncio.gather(*cut)
        await asyncio.gather(*(follow_to_the_end(elsewhere, reader) for reader in readers))
        for reader in readers:
            await _count(tally, reader, elsewhere)
    other.kill()
    return max((reader.resumed_at or killed_at + 1000) - killed_at for reader in readers)


async def _pause(make_server: Make, postgres: PostgresCluster, times: int, runs: int, tally: Tally) -> list[str]:
    """Pause the server that has all runs for twice its lease; return the reasons that it gave its own readers."""
    url = await postgres.create_database_async()
    paused, other = (make_server(url, lease_seconds=LEASE_SECONDS, sweep_seconds=SWEEP_SECONDS) for _ in range(2))
    paused.start()
    other.start()
    closings: list[str] = []
    async with Client(paused.url) as client, Client(other.url) as elsewhere:
        for _ in range(times):
            afar = await begun(client, "/tokens 400 10", runs)
            near = [Reader(reader.session, reader.run_id, reader.last_id) for reader in afar]
            following = [asyncio.create_task(follow_to_the_end(elsewhere, reader)) for reader in afar]
            following += [asyncio.create_task(follow_to_the_end(client, reader)) for reader in near]
            await _until(lambda: all(len(reader.ledger) > 20 for reader in [*afar, *near]))  # noqa: B023
            paused.signal(signal.SIGSTOP)
            await asyncio.sleep(2 * LEASE_SECONDS)  # the fault itself
            await _until(lambda: all(reader.resumed_at for reader in afar))  # noqa: B023
            paused.signal(signal.SIGCONT)
            await asyncio.gather(*following)
            for one, two in zip(afar, near, strict=True):
                await _count(tally, one, elsewhere, two)
            closings += [reason for reader in near for reason in reader.closings]
    return closings


async def _count(tally: Tally, reader: Reader, client: Client, same: Reader | None = None) -> None:
    log, events = await client.log_lines(reader.session), await client.log(reader.session)
    faults = faults_of(reader, log, events)
    if reader.resumed_at is None:
        faults.append("the run was not taken up")
    if same is not None and same.ledger != log[1:]:
        faults.append("the loser's reader has other events")
    tally.add(*faults)


async def _until(so: Callable[[], bool]) -> None:
    async def is_so() -> bool:
        return so()

    await seconds_until(is_so, within=40)
