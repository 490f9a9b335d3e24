"""Row B14: pairs of requests with one key that race have one effect each, whatever happens meanwhile."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from tests.harness.client import Client
from tests.harness.patience import Patience
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.proxy import CommitCutter, Cut
from tests.harness.tally import Tally, rounds, seed
from tests.keyed.racers import Ledger, Race, faults_of, stored_ids

MakeServer = Callable[..., ServerProcess]
SESSIONS = 10
ANSWERS_BETWEEN_KILLS = 40


@asynccontextmanager
async def race_at(servers: Sequence[ServerProcess], folder: Path, *, row: str = "b14") -> AsyncIterator[Race]:
    """Begin a race; at the end the ledger must agree with the store."""
    async with Client(servers[0].url) as client:
        sessions = [await client.session() for _ in range(SESSIONS)]
    before = await stored_ids(servers[0].database_url)
    urls = [(lambda each=each: each.url) for each in servers]
    race = Race(urls, sessions, Ledger(folder / "ledger"), Random(seed()))
    yield race
    tally = Tally(row)
    *trials, extra = await faults_of(race, servers[0].database_url, before)
    for faults in trials:
        tally.add(*faults)
    assert extra == []
    tally.close()


async def race_by_two(postgres: PostgresCluster, make_server: MakeServer, folder: Path, pairs: int) -> None:
    """Let pairs race, each of them at two servers on one database."""
    url = await postgres.create_database_async()
    servers = [make_server(url, key_file=_keys(folder)).start() for _ in range(2)]
    async with race_at(servers, folder, row="b14 two servers") as race:
        await race.run(pairs)


async def race_through_kills(server: ServerProcess, folder: Path, pairs: int) -> None:
    """Let pairs race at a server that is killed now and then, from clients that leave now and then."""
    async with race_at([server], folder, row="b14 kill -9") as race:
        race.leaves = True
        racing, kills = asyncio.create_task(race.run(pairs)), 0
        while not racing.done():
            # Not by the clock: a machine that has much to do would do nothing else than start the server.
            wanted, patience = race.ledger.made + race.chance.randrange(1, ANSWERS_BETWEEN_KILLS), Patience()
            while race.ledger.made < wanted and not racing.done():
                await patience.wait()
            await asyncio.wait([racing], timeout=race.chance.random() / 10)
            if not racing.done():
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
                kills += 1
        await racing
        print(f"{kills} kills")
        assert kills


async def race_through_cuts(postgres: PostgresCluster, make_server: MakeServer, folder: Path, pairs: int) -> None:
    """Let pairs race one by one, where each time a connection to the database is cut before or after a COMMIT."""
    with tempfile.TemporaryDirectory(prefix="branchline-proxy-") as place:
        async with CommitCutter(postgres.socket_folder, Path(place)) as cutter:
            real = await postgres.create_database_async()
            server = make_server(real.replace(postgres.socket_folder, cutter.folder), key_file=_keys(folder))
            # The proxy is in this loop.
            await asyncio.to_thread(server.start)
            try:
                async with race_at([server], folder, row="b14 cut COMMIT") as race:
                    for _ in range(pairs):
                        cutter.cut = race.chance.choice([Cut.BEFORE, Cut.AFTER])
                        await race.run(1)
                    cutter.cut = Cut.NONE
                assert cutter.cuts >= pairs // 2
            finally:
                # The proxy waits for the last of its connections.
                await asyncio.to_thread(server.kill)


def _keys(folder: Path) -> Path:
    path = folder / "keys"
    path.write_text("first QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE\n")
    path.chmod(0o600)
    return path


async def test_pairs_that_race_have_one_effect_each(server: ServerProcess, tmp_path: Path) -> None:
    async with race_at([server], tmp_path) as race:
        await race.run(40)


async def test_pairs_that_race_by_two_servers_have_one_effect_each(
    postgres: PostgresCluster, make_server: MakeServer, tmp_path: Path
) -> None:
    await race_by_two(postgres, make_server, tmp_path, 40)


async def test_pairs_that_race_through_kill_9_have_one_effect_each(server: ServerProcess, tmp_path: Path) -> None:
    await race_through_kills(server, tmp_path, 30)


async def test_pairs_whose_commit_loses_its_connection_have_one_effect_each(
    postgres: PostgresCluster, make_server: MakeServer, tmp_path: Path
) -> None:
    await race_through_cuts(postgres, make_server, tmp_path, 6)


@pytest.mark.campaign
async def test_b14_pairs(server: ServerProcess, tmp_path: Path) -> None:
    async with race_at([server], tmp_path) as race:
        await race.run(rounds(1000))


@pytest.mark.campaign
async def test_b14_pairs_at_two_servers(postgres: PostgresCluster, make_server: MakeServer, tmp_path: Path) -> None:
    await race_by_two(postgres, make_server, tmp_path, rounds(1000))


@pytest.mark.campaign
async def test_b14_pairs_through_kill_9(server: ServerProcess, tmp_path: Path) -> None:
    await race_through_kills(server, tmp_path, rounds(1000))


@pytest.mark.campaign
async def test_b14_pairs_whose_commit_loses_its_connection(
    postgres: PostgresCluster, make_server: MakeServer, tmp_path: Path
) -> None:
    await race_through_cuts(postgres, make_server, tmp_path, rounds(1000) // 5)
