"""Agents are built of stored definitions once a version, off the event loop, and not all of them are kept."""

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import pytest

from events.ids import AgentId
from hosting.adapters.agents.demo import DemoAgent
from hosting.adapters.sql.database import Database
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import AgentMissing
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.agents import Agent, Keys, Limits
from hosting.runtime.defined_agents import DefinedAgents
from hosting.runtime.workshop import Workshop
from tests.definitions.made import CIPHER, definition
from tests.store.units import IDS, opened

SLOW: Final = "Slow"


class Smith:
    """Builds the demo agent of everything, and notes what and on which thread; one that is slow when it may."""

    def __init__(self) -> None:
        self.built: list[tuple[AgentId, str | None]] = []
        self.threads: set[int] = set()
        self.begun, self.may_end = threading.Event(), threading.Event()

    def build(self, agent_id: AgentId, config: AgentConfig, limits: Limits, keys: Keys) -> Agent:
        """See AgentBuilder."""
        self.built.append((agent_id, config.name))
        self.threads.add(threading.get_ident())
        if config.name == SLOW:
            self.begun.set()
            self.may_end.wait(20)
        return DemoAgent()


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    """An open database."""
    async with opened(sqlite_url) as database:
        yield database


async def test_a_version_is_built_once_however_many_ask_at_once(sqlite: Database) -> None:
    smith = Smith()
    agents = DefinedAgents(partial(sqlite.definitions, cipher=CIPHER), Workshop(smith))
    added = definition("Poet")
    await sqlite.definitions(LOCAL_TENANT, CIPHER).add(added)

    got = await asyncio.gather(*(agents.get(LOCAL_TENANT, added.id, 1) for _ in range(20)))

    assert smith.built == [(added.id, "Poet")]
    assert len({id(agent) for agent in got}) == 1
    assert threading.get_ident() not in smith.threads


async def test_a_definition_that_takes_long_to_build_keeps_no_other_waiting(sqlite: Database) -> None:
    smith = Smith()
    agents = DefinedAgents(partial(sqlite.definitions, cipher=CIPHER), Workshop(smith))
    slow, fast = definition(SLOW), definition("Poet")
    for added in (slow, fast):
        await sqlite.definitions(LOCAL_TENANT, CIPHER).add(added)

    waiting = asyncio.create_task(agents.get(LOCAL_TENANT, slow.id, 1))
    try:
        assert await asyncio.to_thread(smith.begun.wait, 10)
        async with asyncio.timeout(10):
            await agents.get(LOCAL_TENANT, fast.id, 1)

        assert not waiting.done()
    finally:
        smith.may_end.set()
        await waiting


async def test_agents_are_built_on_no_more_than_two_threads_of_their_own(sqlite: Database) -> None:
    smith = Smith()
    agents = DefinedAgents(partial(sqlite.definitions, cipher=CIPHER), Workshop(smith))

    checks = [asyncio.create_task(agents.check(LOCAL_TENANT, IDS.agent(), SLOW, AgentConfig())) for _ in range(40)]
    try:
        assert await asyncio.to_thread(smith.begun.wait, 10)
        async with asyncio.timeout(10):
            others = {await asyncio.to_thread(threading.get_ident) for _ in range(3)}
    finally:
        smith.may_end.set()
        await asyncio.gather(*checks)

    assert len(smith.threads) <= 2
    assert not smith.threads & others


async def test_only_those_that_were_asked_for_last_are_kept(sqlite: Database) -> None:
    smith = Smith()
    agents = DefinedAgents(partial(sqlite.definitions, cipher=CIPHER), Workshop(smith), most_kept=2)
    first, second, third = (definition(name) for name in ("A", "B", "C"))
    for added in (first, second, third):
        await sqlite.definitions(LOCAL_TENANT, CIPHER).add(added)

    for asked in (first, second, first, third, first, second):
        await agents.get(LOCAL_TENANT, asked.id, 1)

    assert [name for _, name in smith.built] == ["A", "B", "C", "B"]


async def test_what_one_tenant_had_built_is_not_anothers(sqlite: Database) -> None:
    agents = DefinedAgents(partial(sqlite.definitions, cipher=CIPHER), Workshop(Smith()))
    added = definition()
    await sqlite.definitions(LOCAL_TENANT, CIPHER).add(added)
    await agents.get(LOCAL_TENANT, added.id, 1)

    with pytest.raises(AgentMissing):
        await agents.get(TenantId("other"), added.id, 1)
