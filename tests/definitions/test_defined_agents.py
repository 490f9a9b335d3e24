"""Agents are built of stored definitions once a version, off the event loop, and not all of them are kept."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from events.ids import AgentId
from hosting.adapters.agents.demo import DemoAgent
from hosting.adapters.sql.database import Database
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import AgentMissing
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.agents import Agent, Limits
from hosting.runtime.defined_agents import DefinedAgents
from hosting.runtime.workshop import Workshop
from tests.definitions.made import definition
from tests.store.units import opened


class Smith:
    """Builds the demo agent of everything, and notes what and on which thread."""

    def __init__(self) -> None:
        self.built: list[tuple[AgentId, str | None]] = []
        self.threads: set[int] = set()

    def build(self, agent_id: AgentId, config: AgentConfig, limits: Limits, *, by_operator: bool) -> Agent:
        """See AgentBuilder."""
        assert not by_operator
        self.built.append((agent_id, config.name))
        self.threads.add(threading.get_ident())
        return DemoAgent()


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    """An open database."""
    async with opened(sqlite_url) as database:
        yield database


async def test_a_version_is_built_once_however_many_ask_at_once(sqlite: Database) -> None:
    smith = Smith()
    agents = DefinedAgents(sqlite.definitions, Workshop(smith))
    added = definition("Poet")
    await sqlite.definitions(LOCAL_TENANT).add(added)

    got = await asyncio.gather(*(agents.get(LOCAL_TENANT, added.id, 1) for _ in range(20)))

    assert smith.built == [(added.id, "Poet")]
    assert len({id(agent) for agent in got}) == 1
    assert threading.get_ident() not in smith.threads


async def test_only_those_that_were_asked_for_last_are_kept(sqlite: Database) -> None:
    smith = Smith()
    agents = DefinedAgents(sqlite.definitions, Workshop(smith), most_kept=2)
    first, second, third = (definition(name) for name in ("A", "B", "C"))
    for added in (first, second, third):
        await sqlite.definitions(LOCAL_TENANT).add(added)

    for asked in (first, second, first, third, first, second):
        await agents.get(LOCAL_TENANT, asked.id, 1)

    assert [name for _, name in smith.built] == ["A", "B", "C", "B"]


async def test_what_one_tenant_had_built_is_not_anothers(sqlite: Database) -> None:
    agents = DefinedAgents(sqlite.definitions, Workshop(Smith()))
    added = definition()
    await sqlite.definitions(LOCAL_TENANT).add(added)
    await agents.get(LOCAL_TENANT, added.id, 1)

    with pytest.raises(AgentMissing):
        await agents.get(TenantId("other"), added.id, 1)
