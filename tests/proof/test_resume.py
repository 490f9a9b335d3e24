"""A4: a reader whose connection breaks at any byte comes back by its last id and has exactly the log."""

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import count

import pytest

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally, rounds, seed
from tests.proof.wire import Kept, read_cut

Make = Callable[..., ServerProcess]

READERS = 10
FOLDING = {"fold_seconds": 0.1}
"""What has ended is folded while it is being read."""
TOKENS = 250


async def _resumes(clients: Sequence[Client], trials: int) -> None:
    """Cut readers of runs on a branch and on its fork; with two servers, each connection is to the other one."""
    tally, chance, cuts = Tally("a4"), random.Random(seed()), 0
    while trials > 0:
        session = await clients[0].session()
        said = await clients[0].accepted(session, "Hi")
        await clients[0].ended(session, said["runtimeRunId"])
        fork = {"fromMessageId": said["messageId"], "newBranchId": "fork"}
        forked = await clients[0].http.post(f"{clients[0].path(session)}/fork", json=fork)
        assert forked.status_code == 201, forked.text
        for branch in ("main", "fork"):
            start = await clients[0].position(session, branch)
            accepted = await clients[-1].accepted(session, f"/tokens {TOKENS} 2", branch)
            readers = [
                _follow(clients, session, branch, start, random.Random(chance.random()))
                for _ in range(min(READERS, trials))
            ]
            found = await asyncio.gather(*readers)
            await clients[0].ended(session, accepted["runtimeRunId"], branch)
            lines = await clients[0].log_lines(session, branch)
            epoch, _, seq = start.partition(".")
            expected = [(f"{epoch}.{at}", line) for at, line in enumerate(lines[int(seq) :], int(seq) + 1)]
            for kept in found:
                tally.add(*_faults(kept.frames, expected))
                cuts += kept.cuts
            trials -= len(found)
    tally.close(f"{cuts} connections cut on {len(clients)} server(s), seed {seed()}")
    assert cuts > 3


async def _follow(clients: Sequence[Client], session: str, branch: str, start: str, chance: random.Random) -> Kept:
    kept = Kept(start)
    for number in count(chance.randrange(2)):
        # Most break within a few events, some within the head, and one in four goes on for long.
        most = chance.choice([400, 3_000, 3_000, 100_000])
        await read_cut(clients[number % len(clients)], session, branch, kept, chance.randrange(1, most))
        if kept.has_ended:
            break
    return kept


def _faults(seen: list[tuple[str, str]], expected: list[tuple[str, str]]) -> list[str]:
    if seen == expected:
        return []
    at = next((at for at, (one, other) in enumerate(zip(seen, expected, strict=False)) if one != other), len(expected))
    return [f"{len(seen)} events instead of {len(expected)}, and another one at {at}: {seen[at : at + 1]}"]


async def test_a_reader_that_is_cut_at_random_bytes_has_exactly_the_log(make_server: Make, database_url: str) -> None:
    async with Client(make_server(database_url, **FOLDING).start().url) as client:
        await _resumes([client], 12)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a4_readers_are_cut_at_random_bytes(make_server: Make, database_url: str) -> None:
    async with Client(make_server(database_url, **FOLDING).start().url) as client:
        await _resumes([client], rounds(1000))


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a4_readers_are_cut_at_random_bytes_and_come_back_to_the_other_server(
    make_server: Make, postgres_url: str
) -> None:
    one, other = (make_server(postgres_url, sweep_seconds=0.1, tops_seconds=0.1, **FOLDING).start() for _ in range(2))
    async with Client(one.url) as here, Client(other.url) as there:
        await _resumes([here, there], rounds(1000))
