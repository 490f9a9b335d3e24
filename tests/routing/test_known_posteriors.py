"""What is known of arms is read once a second at most, and what was learnt here is known at once."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from hosting.adapters.sql.database import Database
from hosting.domain.posterior import Posterior
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.services.routing.feedback import record
from hosting.services.routing.known_posteriors import KnownPosteriors
from tests.routing.observed import observation
from tests.routing.routers import router_with


@pytest.fixture
def now() -> list[float]:
    """A clock that stands still until a test moves it."""
    return [100.0]


@pytest.fixture
def known(database: Database, now: list[float]) -> KnownPosteriors:
    """What is known, by that clock."""
    return KnownPosteriors(database.routing, lambda: now[0])


async def expected(known: KnownPosteriors, *providers: str) -> list[float]:
    """Return what is expected of providers."""
    return [
        each.expected_reward for each in (await known.of(LOCAL_TENANT, "research", providers or ("claude",))).values()
    ]


async def test_what_another_server_learns_is_known_after_a_second(
    database: Database, known: KnownPosteriors, now: list[float]
) -> None:
    before = await expected(known)
    await database.routing.learn(observation("id:1"))

    now[0] += 0.99
    meanwhile = await expected(known)
    now[0] += 0.02
    after = await expected(known)

    assert (before, meanwhile, after) == ([0.5], [0.5], [pytest.approx(2 / 3)])


async def test_what_is_learnt_here_is_known_at_once(database: Database, known: KnownPosteriors) -> None:
    router = router_with(database, known=known)
    before = await expected(known)

    told = [await record(router, observation("id:1")) for _ in range(2)]

    assert (before, await expected(known)) == ([0.5], [pytest.approx(2 / 3)])
    assert told == [True, False]


class LateStore:
    """A database whose answers are on their way until somebody lets them arrive."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.has_read = asyncio.Event()
        self.may_arrive = asyncio.Event()

    async def posteriors(self, tenant: TenantId, work_type: str, providers: Collection[str]) -> Mapping[str, Posterior]:
        """Read, and wait."""
        found = await self._database.routing.posteriors(tenant, work_type, providers)
        self.has_read.set()
        await self.may_arrive.wait()
        return found


async def test_what_is_learnt_while_it_is_read_is_not_forgotten_for_a_second(database: Database) -> None:
    store = LateStore(database)
    known = KnownPosteriors(store, lambda: 100.0)
    reading = asyncio.create_task(expected(known))
    await store.has_read.wait()

    await record(router_with(database, known=known), observation("id:1"))
    store.may_arrive.set()

    assert await reading == [0.5]
    assert await expected(known) == [pytest.approx(2 / 3)]


async def test_providers_come_in_the_order_in_which_they_were_named(database: Database, known: KnownPosteriors) -> None:
    await database.routing.learn(observation("id:1"))
    await expected(known)

    found = await known.of(LOCAL_TENANT, "research", ["new", "claude", "another"])

    assert list(found) == ["new", "claude", "another"]
    assert [each.observations for each in found.values()] == [0, 1, 0]
