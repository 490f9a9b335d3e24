"""Interrupts that race the end of the run: each run has one end, and nothing of an interrupt is left behind."""

import asyncio
import random
from collections import Counter
from functools import partial
from typing import Any

from tests.harness.client import Client
from tests.harness.feed import Feed, completed
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.interrupt.talk import Talk

AT_ONCE = 20


async def test_an_interrupt_that_races_the_end_of_its_run(server: ServerProcess, client: Client) -> None:
    rounds = 2000 if server.database_url.startswith("sqlite") else 400
    chance = random.Random(3)
    found: Counter[tuple[int, str]] = Counter()

    async def race() -> None:
        talk = await Talk.begin(client)
        statuses: dict[str, int] = {}
        async with client.feed(talk.session) as feed:
            for _ in range(rounds // AT_ONCE):
                run_id = (await talk.say("/tokens 4 6"))["runtimeRunId"]
                has_ended = await _ends_within(feed, chance.randrange(17))
                statuses[run_id] = (await talk.interrupt()).status_code
                if not has_ended:
                    await feed.until(completed)
        outcomes = check_log(await talk.log()).outcomes
        assert outcomes.keys() == statuses.keys()
        found.update((status, outcomes[run_id]) for run_id, status in statuses.items())

    await asyncio.gather(*(race() for _ in range(AT_ONCE)))

    assert found.total() == rounds
    # One that was accepted too late for anybody to hear it is allowed: the run has completed by itself.
    assert found.keys() <= {(202, "cancelled"), (202, "completed"), (409, "completed")}
    assert min(found[202, "cancelled"], found[409, "completed"]) > rounds / 50
    assert await RawStore(server.database_url).run("SELECT * FROM interrupts") == []


async def test_an_interrupt_for_a_turn_that_has_ended_never_hits_the_run_that_follows_at_once(
    server: ServerProcess, client: Client
) -> None:
    rounds, statuses = 6, Counter[int]()

    async def race() -> None:
        talk = await Talk.begin(client)
        async with client.feed(talk.session) as feed:
            for _ in range(rounds):
                first = await talk.say("/tokens 1000 50")
                second = await talk.say("Hi", "queue")
                turn = (await feed.until(partial(_begins, run_id=first["runtimeRunId"])))[-1].json
                while True:
                    answer = await talk.interrupt(eventFlowId=turn["messageTurnId"])
                    statuses[answer.status_code] += 1
                    if answer.status_code == 409:
                        break
                    assert answer.json()["runtimeRunId"] == first["runtimeRunId"]
                frames = await feed.until(partial(_ends, run_id=second["runtimeRunId"]))
                assert frames[-1].json["status"] == "completed"
        check_log(await talk.log())

    await asyncio.gather(*(race() for _ in range(AT_ONCE)))

    assert statuses.keys() == {202, 409}
    assert await RawStore(server.database_url).run("SELECT * FROM interrupts") == []


def _begins(event: dict[str, Any], run_id: str) -> bool:
    return event["type"] == "MESSAGE_TURN_STARTED" and event["runtimeRunId"] == run_id


def _ends(event: dict[str, Any], run_id: str) -> bool:
    return completed(event) and bool(event["runtimeRunId"] == run_id)


async def _ends_within(feed: Feed, events: int) -> bool:
    """Wait for so many events of the run, which has 16 at most, and say whether that was its end."""
    for _ in range(events):
        frame = await feed.event()
        assert frame is not None
        if completed(frame.json):
            return True
    return False
