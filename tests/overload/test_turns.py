"""Whoever waits comes to their turn, tenant by tenant, and nobody keeps what they do not use."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.domain.overload_errors import Overloaded, TooManyRequests
from hosting.domain.quota import Full, Quota
from hosting.domain.scope import TenantId
from hosting.domain.turns import Turns
from tests.runtime.bench import benched
from tests.store.units import add_notes, add_session, new_branch

CROWD = 700


def turns(at_once: int, of_one: int, waiting: int = 1000) -> Turns[str]:
    """Return turns of which nobody has one."""
    return Turns(at_once, of_one, Quota(waiting, waiting))


async def test_a_crowd_waits_for_itself_and_whoever_else_comes_is_next() -> None:
    asked = turns(1, 1)
    order: list[str] = []
    await asked.take("first")

    async def work(who: str) -> None:
        await asked.take(who)
        order.append(who)
        asked.give_back(who)

    async with asyncio.TaskGroup() as tasks:
        for who in ("a", "a", "a", "a", "b", "b", "c"):
            tasks.create_task(work(who))
        await asyncio.sleep(0)
        asked.give_back("first")

    assert order == ["a", "b", "c", "a", "b", "a", "a"]


@given(
    callers=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=40),
    at_once=st.integers(1, 4),
    of_one=st.integers(1, 4),
)
async def test_no_more_are_at_work_than_may_be_and_all_come_to_it_whoever_leaves(
    callers: list[tuple[str, int, bool]], at_once: int, of_one: int
) -> None:
    asked = turns(at_once, of_one)
    working: list[str] = []
    served: list[str] = []

    async def work(who: str, ticks: int) -> None:
        await asked.take(who)
        working.append(who)
        assert len(working) <= at_once
        assert working.count(who) <= of_one
        try:
            for _ in range(ticks):
                await asyncio.sleep(0)
            served.append(who)
        finally:
            working.remove(who)
            asked.give_back(who)

    tasks = [asyncio.create_task(work(who, ticks)) for who, ticks, _ in callers]
    await asyncio.sleep(0)
    for task, (_, _, leaves) in zip(tasks, callers, strict=True):
        if leaves:
            task.cancel()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} <= {type(None), asyncio.CancelledError}
    assert (asked.working, asked.waiting.taken) == (0, 0)
    assert len(served) == sum(outcome is None for outcome in outcomes)


async def test_too_many_who_wait_are_refused_for_one_and_for_all() -> None:
    asked = Turns[str](1, 1, Quota(3, 2))
    await asked.take("a")

    waiting = [asyncio.create_task(asked.take(who)) for who in ("a", "a")]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        asked.check("a")
    asked.check("b")
    waiting.append(asyncio.create_task(asked.take("b")))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        asked.check("c")

    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_a_quota_remembers_nobody_who_has_given_all_back() -> None:
    quota = Quota[str](3, 2)

    taken = [quota.take(who) for who in ("a", "a", "a", "b", "b")]
    for who in ("a", "a", "b"):
        quota.give_back(who)

    assert taken == [None, None, Full.OWN, None, Full.ALL]
    assert (quota.taken, dict(quota._by_one)) == (0, {})


async def test_a_commit_that_not_all_branches_go_into_takes_some_of_every_tenant(sqlite_url: str) -> None:
    async with benched(sqlite_url) as bench:
        crowd = [new_branch(f"s{number}") for number in range(CROWD)]
        other = new_branch("other", tenant=TenantId("other"))
        await asyncio.gather(*(bench.writer.append_to(add_session(each)) for each in (*crowd, other)))
        bench.gate.shut()
        first = asyncio.ensure_future(bench.writer.append_to(add_notes(crowd[0], "first")))
        await bench.gate.begun()

        written = [asyncio.ensure_future(bench.writer.append_to(add_notes(each, "crowd"))) for each in crowd]
        last = asyncio.ensure_future(bench.writer.append_to(add_notes(other, "other")))
        await asyncio.sleep(0)
        bench.gate.open()
        await last
        before = sum(each.done() for each in written)
        await asyncio.gather(first, *written)

    # It came last, and goes into the next commit.
    assert 0 < before < CROWD
