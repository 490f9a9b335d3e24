"""What a worker tells of a provider is learnt: once, and also when the session has ended."""

import asyncio
from collections import Counter
from typing import Any

from tests.harness.worker import Json
from tests.routing.claimed import WORK, Claims

PAIRS = 100

SAID: Json = {"provider": "claude", "workType": WORK, "reward": 0.5}
WRONG: tuple[Any, ...] = (
    {},
    {**SAID, "reward": None},
    {**SAID, "reward": "1"},
    {**SAID, "reward": 1.01},
    {**SAID, "reward": -0.01},
    {**SAID, "reward": True},
    {**SAID, "provider": ""},
    {**SAID, "provider": "a" * 201},
    {**SAID, "workType": None},
    {**SAID, "qaResult": "perhaps"},
    {**SAID, "totalCostUsd": -1},
    {**SAID, "wallClockMs": 2**53},
    {**SAID, "wallClockMs": -0.5},
    {**SAID, "wallClockMs": "12"},
    {**SAID, "wallClockMs": True},
    {**SAID, "taskCompleted": "yes"},
    {**SAID, "observationId": ""},
    {name: value for name, value in SAID.items() if name != "reward"},
    {name: value for name, value in SAID.items() if name != "provider"},
)
TRUE = {"recorded": True}


async def test_half_a_reward_counts_for_and_a_little_less_against(claimed: Claims) -> None:
    session = await claimed()

    told = [await session.observe("claude", 0.5), await session.observe("codex", 0.49)]

    arms = await session.arms()
    assert told == [TRUE, TRUE]
    assert {name: (arm["alpha"], arm["beta"]) for (name, _), arm in arms.items()} == {
        "claude": (1.5, 1.0),
        "codex": (1.0, 1.51),
    }


async def test_what_is_said_twice_counts_once_by_either_name_of_the_route(claimed: Claims) -> None:
    session = await claimed()

    told = [
        await session.worker.told(session.session, verb, **SAID, **more)
        for verb in ("routing-feedback", "routing-observation", "routing-feedback")
        for more in ({}, {"observationId": "1"})
    ]

    # Without an id the key is how often the session was claimed, which is no id that a worker could give.
    assert told == [TRUE] * 6
    assert (await session.arms())["claude", WORK]["totalObservations"] == 2
    assert (await session.arms())["claude", WORK]["alpha"] == 2.0


async def test_each_claim_of_a_session_has_an_observation_of_its_own(claimed: Claims) -> None:
    session = await claimed()
    await session.observe("claude", 0.0)
    await session.worker.told(session.session, "nack", reason="cannot")
    other = await claimed.worker(session.tenant)
    assert (await other.claimed())["sessionId"] == session.session

    await other.told(session.session, "routing-feedback", **SAID | {"reward": 1.0})

    arm = (await session.arms())["claude", WORK]
    assert (arm["alpha"], arm["beta"], arm["totalObservations"]) == (2.0, 2.0, 2)


async def test_a_session_that_has_ended_can_still_be_told_of(claimed: Claims) -> None:
    session = await claimed()
    await session.worker.told(session.session, "status", status="completed")

    told = await session.observe("claude", 1.0)

    assert told == TRUE
    assert (await session.arms())["claude", WORK]["totalObservations"] == 1


async def test_costs_are_averaged_over_those_that_say_one(claimed: Claims) -> None:
    session = await claimed()
    for number, cost in enumerate((1.0, None, 2.0)):
        await session.observe("claude", 1.0, observationId=str(number), totalCostUsd=cost)

    arm = (await session.arms())["claude", WORK]

    assert (arm["avgCostUsd"], arm["totalObservations"]) == (1.5, 3)


async def test_times_with_fractions_are_rounded(claimed: Claims) -> None:
    session = await claimed()
    for number, took in enumerate((12.7, 12.0, 12, 2**53 - 1)):
        await session.observe("claude", 1.0, observationId=str(number), wallClockMs=took)

    observed = (await session.metrics())["recentDecisions"]

    assert sorted(repr(each["wallClockMs"]) for each in observed) == ["12", "12", "13", str(2**53 - 1)]


async def test_pairs_that_race_count_once_each(claimed: Claims) -> None:
    session = await claimed()
    said = [SAID | {"reward": 1.0, "observationId": str(number // 2)} for number in range(2 * PAIRS)]
    verbs = ("routing-feedback", "routing-observation")

    told = await asyncio.gather(
        *(session.worker.told(session.session, verbs[at % 2], **each) for at, each in enumerate(said))
    )

    assert told == [TRUE] * 2 * PAIRS
    arm = (await session.arms())["claude", WORK]
    assert (arm["alpha"], arm["totalObservations"]) == (PAIRS + 1.0, PAIRS)


async def test_tenants_learn_nothing_from_each_other(claimed: Claims) -> None:
    mine, theirs = await claimed(), await claimed()

    for number in range(20):
        await mine.observe("claude", 1.0, observationId=str(number))
    seen = await theirs.select("claude")
    chosen = Counter([(await theirs.select("claude", "codex"))["selectedProvider"] for _ in range(60)])

    assert seen["expectedReward"] == 0.5
    # One that had learnt from the other's would hardly ever choose the unknown one.
    assert chosen["codex"] > 10, chosen
    assert (await theirs.metrics())["posteriors"] == []
    assert (await theirs.metrics())["recentDecisions"] == []


async def test_what_is_no_observation_is_refused_and_teaches_nothing(claimed: Claims) -> None:
    session = await claimed()

    answers = [
        (body, await session.worker.report(session.session, verb, **body))
        for body in WRONG
        for verb in ("routing-feedback", "routing-observation")
    ]

    assert [body for body, answer in answers if answer.status_code != 400] == []
    assert await session.arms() == {}
