"""A server whose database does not answer lets its runs go in time, as another one may be at them by then."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.postgres import PostgresCluster
from tests.harness.postgres_line import postgres_line
from tests.harness.process import ServerProcess
from tests.nodes.ticking import ENOUGH, TICKS

TICKING = str(Path(__file__).with_name("ticking.py"))
LEASE_SECONDS = 2.0
SILENCES = 3


async def test_runs_stop_before_their_leases_are_over_and_no_silence_counts_as_an_attempt(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    worked_on: list[float] = []

    async with postgres_line(postgres.socket_folder) as line:
        url = (await postgres.create_database_async()).replace(postgres.socket_folder, line.folder)
        server, other = [
            make_server(url, TICKING, lease_seconds=LEASE_SECONDS, sweep_seconds=0.2, run_attempts=1) for _ in range(2)
        ]
        await asyncio.to_thread(server.start)
        # Whichever has the run: both notice that their database is away, and neither counts it.
        await asyncio.to_thread(other.start)
        async with Client(server.url, agent="ticking") as client:
            session = await client.session()
            accepted = await client.accepted(session, "tick")
            for silence in range(SILENCES):
                went_on = time.monotonic()
                await seconds_until(lambda: _ticks_since(server, went_on), within=20)  # noqa: B023
                line.stall()
                began = time.monotonic()
                await seconds_until(lambda: _stopped(server, silence + 1), within=20)  # noqa: B023
                worked_on.append(_last_tick(server) - began)
                line.go_on()
            (server.folder / ENOUGH).touch()
            async with client.feed(session, after=accepted["position"]) as feed:
                end = (await feed.until(completed))[-1].json
        for each in (server, other):
            await asyncio.to_thread(each.kill)

    assert max(worked_on) < LEASE_SECONDS
    assert end["status"] == "completed"


def _last_tick(server: ServerProcess) -> float:
    ticks = server.folder / TICKS
    # What stands behind the last line's end is being written.
    whole = ticks.read_text().split("\n")[:-1] if ticks.exists() else []
    return float(whole[-1]) if whole else 0.0


async def _ticks_since(server: ServerProcess, moment: float) -> bool:
    return _last_tick(server) > moment


async def _stopped(server: ServerProcess, times: int) -> bool:
    return server.errors.read_text().count("stopping a run") == times
