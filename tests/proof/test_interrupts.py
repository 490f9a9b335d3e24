"""B12: an interrupt at any moment around the end of a run: one end, soon, and no word behind it."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.harness.client import Client
from tests.harness.feed import Feed, completed
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally, percentile, rounds, seed
from tests.interrupt.talk import Talk

Make = Callable[..., ServerProcess]

AT_ONCE = 4
TOKENS, EVERY_MS = 6, 5
ENDLESS = 4_000
"""The tokens of one run in four, which nothing but its interrupt ends soon."""
LONGEST_SECONDS = 0.08
"""Twice what such a run takes, so that interrupts fall into all of it and behind it."""
PROMPT_MS = 500
CHUNK = 50


async def _races(client: Client, trials: int, *, is_campaign: bool) -> None:
    tally, chance = Tally("b12"), random.Random(seed())
    outcomes, took_ms, left = Counter[tuple[int, str]](), list[float](), iter(range(trials))

    async def race() -> None:
        for _ in left:
            talk = await Talk.begin(client)
            answered: dict[str, int] = {}
            async with client.feed(talk.session) as feed:
                for _ in range(CHUNK):
                    run_id, status, milliseconds = await _race(
                        talk, feed, chance.choice([TOKENS, TOKENS, TOKENS, ENDLESS]), chance.uniform(0, LONGEST_SECONDS)
                    )
                    answered[run_id] = status
                    if status == 202:
                        took_ms.append(milliseconds)
                    if len(answered) < CHUNK and next(left, None) is None:
                        break
            log = await talk.idle()
            for run_id, status in answered.items():
                faults = _faults(log, run_id, status)
                outcomes[status, _ends(log, run_id)[-1]["status"]] += 1
                tally.add(*faults)

    await asyncio.gather(*(race() for _ in range(AT_ONCE)))
    p99 = percentile(took_ms, 99)
    tally.close(
        f"{dict(outcomes)}, interrupt to terminal p50 {percentile(took_ms, 50):.0f} ms, p99 {p99:.0f} ms, "
        f"worst {max(took_ms):.0f} ms, seed {seed()}"
    )
    if is_campaign:
        assert {(202, "cancelled"), (409, "completed")} <= outcomes.keys()
        assert p99 <= PROMPT_MS


async def _race(talk: Talk, feed: Feed, tokens: int, after_seconds: float) -> tuple[str, int, float]:
    """Return the run, how its interrupt was answered, and how long after that was sent the run's end was seen."""
    run_id = (await talk.say(f"/tokens {tokens} {EVERY_MS}"))["runtimeRunId"]
    end = asyncio.create_task(_end(feed))
    await asyncio.wait([end], timeout=after_seconds)
    sent = time.perf_counter()
    status = (await talk.interrupt()).status_code
    return run_id, status, (await end - sent) * 1000


async def _end(feed: Feed) -> float:
    await feed.until(completed)
    return time.perf_counter()


def _ends(log: list[dict[str, str]], run_id: str) -> list[dict[str, str]]:
    return [event for event in log if completed(event) and event["runtimeRunId"] == run_id]


def _faults(log: list[dict[str, str]], run_id: str, status: int) -> list[str]:
    ends, about = _ends(log, run_id), [event for event in log if event.get("runtimeRunId") == run_id]
    faults = [] if len(ends) == 1 else [f"{run_id} has {len(ends)} ends"]
    faults += [] if about[-1:] == ends[-1:] else [f"{about[-1]['type']} behind the end of {run_id}"]
    # One that is accepted at the very end may come too late; one that is refused has done nothing.
    allowed = {202: {"cancelled", "completed"}, 409: {"completed"}}.get(status, set())
    return faults + ([] if ends[-1]["status"] in allowed else [f"{status}, and {run_id} was {ends[-1]['status']}"])


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_b12_interrupts_race_the_ends_of_runs(make_server: Make, database_url: str) -> None:
    # What is heard soon is heard at once, not when the server looks.
    async with Client(make_server(database_url, sweep_seconds=3).start().url) as client:
        await _races(client, rounds(2000), is_campaign=True)


async def test_a_run_that_is_interrupted_around_its_end_ends_once(client: Client) -> None:
    await _races(client, 24, is_campaign=False)
