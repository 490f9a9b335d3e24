"""A1: `kill -9` loses nothing that was acknowledged or seen, and every run goes on to its end."""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.crash.ledger import Round
from tests.harness.process import ColdServerProcess, ServerProcess


async def _play(server: ServerProcess, *, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    for index in range(rounds):
        played = Round(server, chance)
        await played.play()
        print(
            f"A1 seed {seed} round {index + 1}/{rounds}: {played.lost_inputs} inputs lost, {played.lost_events} events "
            f"lost, {played.unfinished} runs not completed, slowest start after ready {played.slowest_restart}"
        )
        assert (played.lost_inputs, played.lost_events, played.unfinished) == (0, 0, 0)
        assert played.slowest_restart < timedelta(seconds=5)


@pytest.fixture
def cold_server(tmp_path: Path, database_url: str) -> Iterator[ColdServerProcess]:
    """A server that takes as long as an operator's to start: the leases of the one that died run out meanwhile."""
    with ColdServerProcess(tmp_path, database_url) as server:
        yield server


@pytest.mark.timeout(120)
async def test_fifty_streaming_runs_survive_kill_9(cold_server: ColdServerProcess) -> None:
    await _play(cold_server, rounds=1, seed=random.randrange(10**6))


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a1_kill_9_round_after_round(cold_server: ColdServerProcess) -> None:
    rounds, seed = int(os.environ.get("ROUNDS", "10")), int(os.environ.get("SEED", "1"))

    await _play(cold_server, rounds=rounds, seed=seed)
