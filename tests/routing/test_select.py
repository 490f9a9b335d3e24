"""Which provider a worker is told to take, and that it is always answered."""

from collections import Counter
from typing import Any

import httpx
import pytest

from tests.fleet.gate import Gate, bearer
from tests.harness.worker import Json
from tests.routing.claimed import WORK, Claims
from tests.routing.conftest import SHARED_KEY

CHAT = {"clients": {"chat": {"providerKey": "openai", "modelName": "gpt-5-mini"}}}
NOBODY: Json = {"selectedProvider": None}
WRONG: tuple[Any, ...] = (
    {},
    {"workType": WORK},
    {"candidates": ["claude"]},
    {"workType": "", "candidates": ["claude"]},
    {"workType": WORK, "candidates": "claude"},
    {"workType": WORK, "candidates": [""]},
    {"workType": WORK, "candidates": [1]},
    {"workType": WORK, "candidates": ["a"] * 101},
    {"workType": "a" * 201, "candidates": ["claude"]},
    {"workType": None, "candidates": ["claude"]},
    [],
)


async def test_a_candidate_is_chosen_with_what_is_expected_of_it(claimed: Claims) -> None:
    session = await claimed()

    chosen = await session.select("claude", "codex", project="verse", sessionId=session.session)

    assert chosen.pop("selectedProvider") in {"claude", "codex"}
    assert chosen == {"source": "mab-routing", "expectedReward": 0.5, "confidence": pytest.approx(0.7113, abs=1e-4)}


async def test_what_was_learnt_counts_from_the_next_choice_on(claimed: Claims) -> None:
    session = await claimed()
    before = await session.select("claude")

    await session.observe("claude", 1.0)
    after = await session.select("claude")

    assert (before["expectedReward"], after["expectedReward"]) == (0.5, pytest.approx(2 / 3))


async def test_the_better_one_is_chosen_nearly_always(claimed: Claims) -> None:
    session = await claimed()
    for number in range(40):
        await session.observe("good", 1.0, observationId=f"good-{number}")
        await session.observe("bad", 0.0, observationId=f"bad-{number}")

    chosen = Counter([(await session.select("bad", "good"))["selectedProvider"] for _ in range(100)])

    # Half of the 10 % that are forced is all that a bad one gets: 20 of 100 would be a wonder.
    assert chosen["good"] > 80, chosen
    assert chosen.total() == 100


async def test_a_candidate_that_is_named_twice_has_no_more_chances(claimed: Claims) -> None:
    session = await claimed()

    chosen = Counter([(await session.select(*["a"] * 99, "b"))["selectedProvider"] for _ in range(40)])

    assert chosen["b"] > 5, chosen


async def test_nobody_is_chosen_of_no_candidates(claimed: Claims) -> None:
    session = await claimed()

    assert await session.select() == NOBODY | {"source": "fallback"}


async def test_a_provider_that_the_run_names_is_not_chosen_once_more(claimed: Claims) -> None:
    session = await claimed(run_config={"chat": {}, "providerKey": "openai", "modelId": "gpt-5-mini"})

    assert await session.select("claude", "codex") == NOBODY | {"source": "explicit"}


async def test_a_provider_that_the_definition_names_is_not_chosen_once_more(claimed: Claims) -> None:
    session = await claimed(**CHAT)
    config = {"config": {"runtime": "worker"}}

    named = await session.select("claude", "codex")
    revised = await session.operator.http.put(f"/agents/{session.operator.agent}", json=config)
    still = await session.select("claude", "codex")

    assert revised.status_code == 200, revised.text
    assert named == still == NOBODY | {"source": "explicit"}


async def test_what_is_no_question_is_refused(claimed: Claims) -> None:
    session = await claimed()
    path = f"/api/sessions/{session.session}/routing-select"

    answers = [await session.worker.http.post(path, json=body, headers=session.worker.headers) for body in WRONG]

    taken = [body for body, answer in zip(WRONG, answers, strict=True) if answer.status_code != 400]
    assert taken == []
    assert {answer.json()["code"] for answer in answers} == {"invalid-request"}


async def test_a_session_that_is_not_there_or_somebody_elses_is_not_found(claimed: Claims, gate: Gate) -> None:
    mine, theirs = await claimed(), await claimed()
    body = {"workType": WORK, "candidates": ["claude"], "provider": "claude", "reward": 1.0}

    answers = [
        await mine.worker.http.post(f"/api/sessions/{session}/{verb}", json=body, headers=mine.worker.headers)
        for session in ("nothing", "a%00b", "x" * 200, theirs.session)
        for verb in ("routing-select", "routing-feedback", "routing-observation")
    ]

    assert {(answer.status_code, answer.json()["message"]) for answer in answers} == {(404, "Session not found")}
    assert await theirs.arms() == {}


async def test_another_worker_than_the_sessions_is_refused_and_teaches_nothing(claimed: Claims) -> None:
    session = await claimed()
    other = await claimed.worker(session.tenant)
    body = {"workType": WORK, "candidates": ["claude"], "provider": "claude", "reward": 1.0}

    answers = [
        await worker.report(session.session, verb, **body, **who)
        for worker, who in ((other, {}), (session.worker, {"workerId": other.id}))
        for verb in ("routing-select", "routing-feedback", "routing-observation")
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert all("owned by another worker" in answer.text for answer in answers)
    assert await session.arms() == {}


async def test_a_worker_that_has_lost_its_session_is_refused(claimed: Claims) -> None:
    session = await claimed()
    await session.worker.told(session.session, "nack", reason="cannot")

    answer = await session.worker.report(session.session, "routing-select", workType=WORK, candidates=["claude"])

    assert answer.status_code == 403


async def test_the_shared_key_alone_speaks_for_whoever_has_the_session(
    claimed: Claims, http: httpx.AsyncClient
) -> None:
    session = await claimed("local")
    body = {"workType": WORK, "candidates": ["claude"]}
    path = f"/api/sessions/{session.session}/routing-select"

    alone = await http.post(path, json=body, headers=bearer(SHARED_KEY))
    named = await http.post(path, json=body | {"workerId": session.worker.id}, headers=bearer(SHARED_KEY))
    other = await http.post(path, json=body | {"workerId": "wrk_other"}, headers=bearer(SHARED_KEY))

    assert [answer.status_code for answer in (alone, named, other)] == [200, 200, 403]
    assert alone.json()["selectedProvider"] == "claude"
