"""A15: a database that is damaged is refused or told of, and what is wrong in it is never handed out for right."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.storage.damage import Damage, Trial, make_ledger


async def _damaged(folder: Path, *, rounds: int, seed: int) -> None:
    chance, ledger = random.Random(seed), await make_ledger(folder / "whole")
    outcomes, wrong = Counter[str](), list[str]()
    for number in range(rounds):
        damage = Damage.by(chance)
        trial = Trial(damage, ledger, folder / str(number))
        await trial.run()
        outcomes[trial.outcome] += 1
        wrong += [f"{number} {damage}: {what}" for what in trial.wrong]
        for what in trial.wrong:
            print(f"A15 seed {seed} {number} {damage}: {what}")
    print(f"a15 {rounds - len(wrong)} ok / {rounds} total, seed {seed}: {dict(outcomes)}")
    assert wrong == []
    # Or nothing would have been compared: a start that is refused shows no events.
    assert outcomes["whole"] + outcomes["told"] > 0
    assert ledger.lines


@pytest.mark.timeout(120)
async def test_a_damaged_file_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    await _damaged(tmp_path, rounds=8, seed=15)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a15_bytes_flipped_and_files_cut_at_many_places(tmp_path: Path) -> None:
    rounds, seed = int(os.environ.get("ROUNDS", "200")), int(os.environ.get("SEED", "15"))

    await _damaged(tmp_path, rounds=rounds, seed=seed)
