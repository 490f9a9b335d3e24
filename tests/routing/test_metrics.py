"""What operators see of what routers have learnt."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, bearer
from tests.harness.client import Client
from tests.routing.claimed import WORK, Claimed, Claims, metrics


async def told_of(session: Claimed, count: int) -> list[str]:
    """Tell of so many runs, one after the other, and return the ids of their observations, the newest first."""
    for number in range(count):
        await session.observe("claude", 1.0, observationId=str(number), issueIdentifier=f"V-{number}")
    return [each["id"] for each in (await session.metrics(limit=200))["recentDecisions"]]


async def test_everything_that_was_said_is_shown_with_four_decimals(claimed: Claims) -> None:
    session = await claimed()
    before = datetime.now(UTC)
    said = {"project": "verse", "issueIdentifier": "V-1", "taskCompleted": True, "prCreated": False}
    said |= {"qaResult": "passed", "wallClockMs": 1234}

    await session.observe("claude", 0.123456, totalCostUsd=0.98765, **said)
    seen = await session.metrics()

    (decision,) = seen["recentDecisions"]
    assert decision.pop("id").count("-") == 4
    assert before - timedelta(seconds=1) <= datetime.fromtimestamp(decision.pop("timestamp") / 1000, UTC)
    arm = {"provider": "claude", "workType": WORK}
    assert decision == {**arm, "sessionId": session.session, "reward": 0.1235, "totalCostUsd": 0.9877, **said}
    numbers = {"alpha": 1.0, "beta": 1.8765, "expectedReward": 0.3476, "confidence": 0.7581, "totalObservations": 1}
    assert seen["posteriors"] == [{**arm, **numbers, "avgReward": 0.1235, "avgCostUsd": 0.9877}]
    summary = {"totalObservations": 1, "routingEnabled": True, "explorationRate": 0.1, "avgConfidence": 0.7581}
    assert seen["summary"] == {**summary, "survivalRewardCount": 0}
    assert datetime.fromisoformat(seen["timestamp"]) >= before - timedelta(seconds=1)
    assert "nextCursor" not in seen


async def test_pages_hold_each_observation_once_the_newest_first(claimed: Claims) -> None:
    session = await claimed()
    ids = await told_of(session, 7)

    pages, cursor = [], {}
    while cursor is not None:
        page = await session.metrics(limit=3, **cursor)
        pages.append([each["id"] for each in page["recentDecisions"]])
        cursor = {"cursor": page["nextCursor"]} if "nextCursor" in page else None
        # What comes meanwhile is in front of the first page.
        await session.observe("codex", 1.0, observationId=str(len(pages)))

    assert len(set(ids)) == 7
    assert pages == [ids[:3], ids[3:6], ids[6:]]


async def test_a_time_is_both_of_its_ends_in_either_form(claimed: Claims) -> None:
    session = await claimed()
    await told_of(session, 3)
    times = [each["timestamp"] for each in (await session.metrics())["recentDecisions"]]
    newest = datetime.fromtimestamp(times[0] / 1000, UTC)

    since = await session.metrics(**{"from": times[0]})
    until = await session.metrics(to=(newest + timedelta(seconds=1)).isoformat())
    before = await session.metrics(to=(newest - timedelta(hours=1)).isoformat().replace("+00:00", "Z"))
    after = await session.metrics(**{"from": times[0] + 1000})

    assert [len(page["recentDecisions"]) for page in (until, before, after)] == [3, 0, 0]
    assert len(since["recentDecisions"]) == len([each for each in times if each >= times[0]])
    assert {len(page["posteriors"]) for page in (since, until, before, after)} == {1}


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("from", ("yesterday", "2026-01-01", "2026-01-01T00:00:00", "9" * 30, "1.5", "", "٣", "2026-13-01T00:00:00Z")),
        ("to", ("-" + "9" * 20, "NaN", "0x10")),
        ("cursor", ("", "1", "1.", ".1", "1.2.3", "-1.1", "9" * 30 + ".1", "1." + "9" * 20, "a" * 101, "٣.٣")),
        ("limit", ("0", "201", "-1", "many")),
    ],
)
async def test_what_is_no_time_page_or_number_is_refused(claimed: Claims, name: str, texts: Sequence[str]) -> None:
    session = await claimed()

    answers = [await session.operator.http.get("/api/public/routing-metrics", params={name: text}) for text in texts]

    assert [answer.status_code for answer in answers] == [400] * len(texts), [answer.text for answer in answers]


async def test_users_see_it_and_workers_do_not(claimed: Claims, gate: Gate) -> None:
    session = await claimed()
    await session.observe("claude", 1.0)

    async with Client(gate.server.url) as user:
        user.http.headers.update(bearer(await gate.key(session.tenant, Role.USER)))
        seen = await metrics(user.http)
    worker = await session.worker.http.get("/api/public/routing-metrics", headers=session.worker.headers)

    assert len(seen["posteriors"]) == 1
    assert worker.status_code == 403
