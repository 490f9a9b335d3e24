"""One tenant's crowd, however large, is served as well as ever, and another tenant hardly notices."""

import asyncio
import os
from collections.abc import Callable, Mapping
from statistics import median
from typing import Final

import psutil
import pytest

from hosting.domain.identity import Role
from tests.harness.process import ServerProcess
from tests.harness.quiet import need_a_quiet_machine
from tests.identity.office import Office
from tests.overload.crowd import Outcome, crowd

Make = Callable[..., ServerProcess]

MIB = 1 << 20
ROUNDS = int(os.environ.get("ROUNDS", "3"))
# The demo agent does nothing but use the processor: more of its runs at once take longer, and get no more done.
BOUNDS: Final[Mapping[str, int]] = {"requests_at_once_per_tenant": 8, "runs_per_tenant": 12}
OVER: Final = 5
"""How many times what the server can bear the crowd asks for."""
MOST_GROWN = 64 * MIB
LONGEST, LEAST = 2, 0.8
"""How much longer the other tenant may wait, and how much of what the server can do must get done."""


async def test_a_crowd_is_sent_away_in_good_order_and_nobody_else_is(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, **BOUNDS, requests_waiting_per_tenant=16).start()
    office = Office(server, server.folder / "test.db.keys")
    first, second = await office.key("first", Role.USER), await office.key("second", Role.USER)
    process = psutil.Process(server.pid)
    before = process.memory_info().rss

    flood, beside = await asyncio.gather(
        crowd(server.url, first, rate=1000, seconds=3, users=100),
        crowd(server.url, second, rate=10, seconds=3, users=5),
    )

    assert set(flood.statuses) == {"202", "429"}
    assert (flood.without_advice, flood.broken) == (0, 0)
    assert set(beside.statuses) == {"202"}
    assert beside.broken == 0
    assert process.memory_info().rss - before < MOST_GROWN
    assert '"level": "error"' not in server.errors.read_text()


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_b18_a_crowd_five_times_too_large_starves_nobody(make_server: Make, sqlite_url: str) -> None:
    need_a_quiet_machine()
    server = make_server(sqlite_url, **BOUNDS).start()
    office = Office(server, server.folder / "test.db.keys")
    first, second = await office.key("first", Role.USER), await office.key("second", Role.USER)
    process = psutil.Process(server.pid)
    fair, good = [], []
    peak = max([await _peak(server, first, users) for users in (16, 64)], key=lambda one: one.per_second()).per_second()
    before = process.memory_info().rss

    for number in range(ROUNDS):
        alone = await _few(server, second)
        flood, beside = await asyncio.gather(
            crowd(server.url, first, rate=OVER * peak, seconds=13, users=400), _few(server, second)
        )
        fair.append(beside.quantile(0.99) / alone.quantile(0.99))
        good.append((flood.per_second() + beside.per_second()) / peak)
        print(f"round {number}: {_told(flood)} of a peak of {peak:.0f}")
        print(f"  the other tenant: alone {_told(alone)}; beside it {_told(beside)}")
        assert set(flood.statuses) <= {"202", "429"}
        assert (flood.without_advice, flood.broken) == (0, 0)
        assert (set(beside.statuses), beside.broken) == ({"202"}, 0)
    grown = (process.memory_info().rss - before) / MIB

    print(f"p99 of the other tenant {median(fair):.2f} times its own, goodput {median(good):.0%}, {grown:.0f} MiB more")
    kept = sum(slower <= LONGEST and done >= LEAST for slower, done in zip(fair, good, strict=True))
    print(f"b18 {kept} ok / {ROUNDS} total")
    assert grown < MOST_GROWN / MIB
    assert median(fair) <= LONGEST
    assert median(good) >= LEAST


async def _peak(server: ServerProcess, key: str, users: int) -> Outcome:
    return await crowd(server.url, key, rate=0, seconds=6, users=users)


async def _few(server: ServerProcess, key: str) -> Outcome:
    return await crowd(server.url, key, rate=20, seconds=12, users=10)


def _told(outcome: Outcome) -> str:
    times = f"p50 {outcome.quantile(0.5) * 1000:.0f} ms, p99 {outcome.quantile(0.99) * 1000:.0f} ms"
    return f"{outcome.per_second():.0f}/s ({times}), {outcome.refused} refused"
