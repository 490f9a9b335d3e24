"""A1: `kill -9` loses nothing that was acknowledged or seen, and every run goes on to its end."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.crash.ledger import Round
from tests.harness.process import ColdServerProcess, ServerProcess
from tests.harness.tally import Tally, rounds, seed


async def _play(server: ServerProcess, trials: int, *, runs: int, tokens: int, every_ms: int) -> None:
    tally, chance, slowest, found = Tally("a1"), random.Random(seed()), timedelta(), [0, 0, 0]
    for _ in range(trials):
        played = Round(server, chance, runs=runs, tokens=tokens, every_ms=every_ms)
        await played.play()
        counts = {"inputs": played.lost_inputs, "events": played.lost_events, "runs": played.unfinished}
        found = [sum(pair) for pair in zip(found, counts.values(), strict=True)]
        slowest = max(slowest, played.slowest_restart)
        late = [] if played.slowest_restart < timedelta(seconds=5) else [f"taken up after {played.slowest_restart}"]
        tally.add(*(f"{count} {what} lost" for what, count in counts.items() if count), *late)
    lost_inputs, lost_events, unfinished = found
    tally.close(
        f"rounds of {runs} runs, {lost_inputs} inputs and {lost_events} events lost, {unfinished} runs not completed, "
        f"slowest taken up {slowest.total_seconds():.1f} s after ready, seed {seed()}"
    )


@pytest.fixture
def cold_server(tmp_path: Path, database_url: str) -> Iterator[ColdServerProcess]:
    """A server that takes as long as an operator's to start: the leases of the one that died run out meanwhile."""
    with ColdServerProcess(tmp_path, database_url) as server:
        yield server


@pytest.mark.timeout(120)
async def test_fifty_streaming_runs_survive_kill_9(cold_server: ColdServerProcess) -> None:
    await _play(cold_server, 1, runs=50, tokens=120, every_ms=4)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a1_kill_9_while_200_runs_stream(cold_server: ColdServerProcess) -> None:
    await _play(cold_server, rounds(50), runs=200, tokens=50, every_ms=50)
