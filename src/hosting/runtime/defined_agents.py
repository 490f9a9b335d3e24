"""Agents out of stored definitions, each version built once."""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from weakref import WeakValueDictionary

from events.ids import AgentId, is_client_id
from hosting.domain.definition import AgentConfig, DefinitionSummary
from hosting.domain.errors import AgentElsewhere, AgentMissing
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.agents import Agent, Keys
from hosting.ports.definitions import Definitions, DefinitionsOf
from hosting.runtime.workshop import Workshop

_MOST_KEPT: Final = 128
_BUILDERS: Final = 2
_PREFIX: Final = "agt_"

_Key = tuple[TenantId, AgentId, int]


class DefinedAgents:
    """The agents that tenants have defined; those that were asked for last are kept."""

    def __init__(self, definitions: DefinitionsOf, workshop: Workshop, *, most_kept: int = _MOST_KEPT) -> None:
        self._definitions = definitions
        self._workshop = workshop
        self._most_kept = most_kept
        self._kept: OrderedDict[_Key, Agent] = OrderedDict()
        self._building: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()
        # Its own: whoever posts what takes long to build must not keep the threads that everything else needs.
        self._builders = ThreadPoolExecutor(_BUILDERS, "building")

    def of(self, tenant: TenantId) -> Definitions:
        """Return the door to a tenant's definitions."""
        return self._definitions(tenant)

    async def summary(self, tenant: TenantId, agent_id: AgentId) -> DefinitionSummary | None:
        """Return what a list shows of a definition."""
        return await self.of(tenant).summary(agent_id) if _could_be(agent_id) else None

    async def is_known(self, tenant: TenantId, agent_id: AgentId) -> bool:
        """Say whether there is a definition, or was one that a run may still need."""
        return _could_be(agent_id) and await self.of(tenant).is_known(agent_id)

    async def check(
        self, tenant: TenantId, agent_id: AgentId, name: str, config: AgentConfig, known: frozenset[str] | None = None
    ) -> None:
        """Make sure that there can be an agent with this config, whose runs can have the `known` credentials.

        Raises:
            ConfigRefused: there cannot.
        """
        await self._build(agent_id, name, config, _keys(tenant, known))

    async def get(self, tenant: TenantId, agent_id: AgentId, version: int) -> Agent:
        """Return the agent that a version of a definition describes.

        Raises:
            AgentMissing: nothing is known of that version any more.
            ConfigRefused: it cannot be built now, whatever could be built when it was stored.
        """
        key = tenant, agent_id, version
        if key not in self._kept:
            # One at a time, or many inputs at once would each build the same.
            async with self._building.setdefault(key, asyncio.Lock()):
                if key not in self._kept:
                    self._kept[key] = await self._built(key)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return self._kept[key]

    async def _built(self, key: _Key) -> Agent:
        tenant, agent_id, version = key
        described = await self.of(tenant).version(agent_id, version)
        if described is None:
            raise AgentMissing(agent_id)
        agent = await self._build(agent_id, described.name, described.config, _keys(tenant))
        if agent is None:
            raise AgentElsewhere(agent_id)
        return agent

    async def _build(self, agent_id: AgentId, name: str, config: AgentConfig, keys: Keys) -> Agent | None:
        # A library of models may have to be imported first, which takes a second.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._builders, self._workshop.build, agent_id, name, config, keys)


def _keys(tenant: TenantId, known: frozenset[str] | None = None) -> Keys:
    """Return whose keys a tenant's agents are for: the server's own are for who runs it (docs/decisions/0021)."""
    return Keys(of_server=tenant == LOCAL_TENANT, known=known)


def _could_be(agent_id: AgentId) -> bool:
    # Of all other ids the store is not asked: those of the server's own agents must stay fast.
    return agent_id.startswith(_PREFIX) and is_client_id(agent_id)
