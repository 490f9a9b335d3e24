"""A7: a store that was wiped, or restored from an older backup, is another life: who comes back is told so."""

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.keeping.kept import backed_up, restored, wiped
from tests.keeping.old_clients import OldClient, Reckoning, come_back, follow_runs


async def _round(server: ServerProcess, folder: Path, chance: random.Random, *, clients: int, places: int) -> Reckoning:
    """Let clients follow; restore what was before half of it, and then wipe all; they come back after both."""
    name = f"{chance.getrandbits(40):x}"
    known, reckoning = [OldClient(f"s{name}-{index}") for index in range(clients)], Reckoning()
    server.start()
    async with Client(server.url) as client:
        for old in known:
            await client.session(old.session)
        await _all_follow(client, known, chance)
        backup = await backed_up(server.database_url, folder / f"{name}.db")
        # These were told of things that will never have happened.
        await _all_follow(client, known, chance)
    for wipes in (False, True):
        server.kill()
        await (wiped(server.database_url) if wipes else restored(backup, server.database_url, "--force"))
        server.start()
        async with Client(server.url) as client:
            if wipes:
                for old in known:
                    await client.session(old.session)
            await come_back(client, known, reckoning, chance, places)
            for old in known:
                old.places += [event["eventId"] for event in await client.log(old.session)]
    server.kill()
    return reckoning


async def _all_follow(client: Client, known: list[OldClient], chance: random.Random) -> None:
    async with asyncio.TaskGroup() as tasks:
        for old in known:
            texts = [f"/tokens {chance.randint(1, 40)}" for _ in range(chance.randint(1, 3))]
            tasks.create_task(follow_runs(client, old, texts))


@pytest.mark.timeout(90)
async def test_who_comes_back_after_a_restore_or_a_wipe_is_reset_and_sees_nothing_that_is_not_so(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(7)

    reckoning = await _round(make_server(database_url), tmp_path, chance, clients=3, places=4)

    assert (reckoning.told, reckoning.wrong) == (reckoning.total, [])
    assert reckoning.total == 3 * 4 * 2


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a7_lives_that_are_over(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    rounds, seed = int(os.environ.get("ROUNDS", "10")), int(os.environ.get("SEED", "1"))
    chance, all_of_them = random.Random(seed), Reckoning()

    for index in range(rounds):
        reckoning = await _round(make_server(database_url), tmp_path, chance, clients=10, places=8)
        print(f"a7 seed {seed} round {index + 1}/{rounds}: {reckoning}", flush=True)
        all_of_them.total += reckoning.total
        all_of_them.told += reckoning.told
        all_of_them.wrong += reckoning.wrong
    print(all_of_them, flush=True)

    assert (all_of_them.told, all_of_them.wrong) == (all_of_them.total, [])
