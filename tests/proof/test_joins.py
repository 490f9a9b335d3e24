"""A5: whoever joins a run while it streams has every event from there on, with no gap where replay turns into live."""

import asyncio
import random
from collections import Counter

import pytest

from tests.harness.client import Client, split_array
from tests.harness.tally import Tally, rounds, seed
from tests.interrupt.talk import Talk
from tests.proof.joins import Joined, Joiner, digest_of

CROWDED, CROWD = 2, 8
LONELY = 8
"""Sessions that are never without a reader, and sessions that have one at a time: each join makes their ring anew."""


async def _joins(client: Client, trials: int) -> None:
    tally, chance = Tally("a5"), random.Random(seed())
    sessions = [await client.session() for _ in range(CROWDED + LONELY)]
    for session in sessions:
        await client.accepted(session, "/tokens 1000000 8")
    joining = [session for session in sessions[:CROWDED] for _ in range(CROWD)] + sessions[CROWDED:]
    left, found, faults = iter(range(trials)), list[Joined](), list[str]()

    async def go_on(joiner: Joiner) -> None:
        for _ in left:
            try:
                found.append(await joiner.join())
            except (AssertionError, TimeoutError) as error:
                faults.append(repr(error))

    await asyncio.gather(*(go_on(Joiner(client, each, random.Random(chance.random()))) for each in joining))

    for session in sessions:
        await Talk(client, session).interrupt()
        lines = await _whole_log(client, session)
        for joined in [each for each in found if each.session == session]:
            is_same = digest_of(lines[joined.first - 1 : joined.last]) == joined.digest
            tally.add(*([] if is_same else [f"{joined} is not what the log has"]))
    for fault in faults:
        tally.add(fault)
    tally.close(f"{dict(Counter(each.way for each in found))}, seed {seed()}")


async def _whole_log(client: Client, session: str) -> list[str]:
    lines: list[str] = []
    following: str | None = f"/sessions/{session}/branches/main/events?limit=10000"
    while following is not None:
        response = await client.http.get(following)
        lines += split_array(response.text)
        following = response.links["next"]["url"] if "next" in response.links else None
    return lines


async def test_readers_that_join_while_a_run_streams_have_no_gap(client: Client) -> None:
    await _joins(client, 60)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_a5_readers_join_while_runs_stream(client: Client) -> None:
    await _joins(client, rounds(10_000))
