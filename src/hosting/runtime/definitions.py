"""Storing, changing and deleting definitions; runs that began before go on with what they began with."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from events.ids import AgentId
from hosting.domain.definition import AgentConfig, Definition
from hosting.domain.errors import AgentMissing, AgentNotStored, InvalidRequest
from hosting.domain.scope import TenantId
from hosting.runtime.agents import Source
from hosting.runtime.core import Runtime
from hosting.runtime.credentials import credential_names
from hosting.runtime.keyed import Keyed

_LARGEST_METADATA: Final = 16 << 10
_LONGEST_NAME: Final = 200
_PLACES: Final = {Source.CODE: "the server's code", Source.FILE: "a file beside the server"}


async def create_definition(
    runtime: Runtime,
    tenant: TenantId,
    name: str,
    config: AgentConfig,
    metadata: Mapping[str, Any],
    *,
    keyed: Keyed[Definition] | None = None,
) -> Definition:
    """Store a new definition, from which an agent can be built.

    Raises:
        InvalidRequest: the name is empty or too long, or the metadata is too large.
        ConfigRefused: there can be no such agent.
        RequestRepeated: it was stored before, by a request with the same key.
        StorageUnavailable: nothing was stored.
    """
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise InvalidRequest(f"`name` must have 1 to {_LONGEST_NAME} characters - at `$.name`.")
    if len(msgspec.json.encode(metadata)) > _LARGEST_METADATA:
        raise InvalidRequest(f"`metadata` is larger than {_LARGEST_METADATA >> 10} KiB as JSON - at `$.metadata`.")
    agent_id, now = runtime.ids.agent(), runtime.clock()
    await _check(runtime, tenant, agent_id, name, config)
    definition = Definition(
        id=agent_id,
        name=name,
        version=1,
        runtime=config.runtime,
        metadata=metadata,
        created_at=now,
        updated_at=now,
        config=config,
    )
    answered = None if keyed is None else keyed.answered(definition)
    await runtime.agents.defined.of(tenant).add(definition, answered)
    return definition


async def revise_definition(runtime: Runtime, tenant: TenantId, stored: Definition, config: AgentConfig) -> Definition:
    """Give a definition a new config; inputs from now on are answered by the new version.

    Raises:
        ConfigRefused: there can be no such agent.
        AgentMissing: the definition was deleted meanwhile.
        StorageUnavailable: nothing was stored.
    """
    await _check(runtime, tenant, stored.id, stored.name, config)
    revised = await runtime.agents.defined.of(tenant).revise(stored.id, config, runtime.clock())
    if revised is None:
        raise AgentMissing(stored.id)
    return revised


async def delete_definition(runtime: Runtime, tenant: TenantId, agent_id: AgentId) -> None:
    """Delete a definition; no new run begins with it.

    Raises:
        AgentMissing: there is none, or it was deleted meanwhile.
        StorageUnavailable: nothing was changed.
    """
    if not await runtime.agents.defined.of(tenant).remove(agent_id, runtime.clock()):
        raise AgentMissing(agent_id)


def refuse_registered(runtime: Runtime, agent_id: AgentId) -> AgentNotStored:
    """Return why an agent that the server was started with cannot be changed by clients."""
    return AgentNotStored(agent_id, _PLACES[runtime.agents.registered()[agent_id].source])


async def _check(runtime: Runtime, tenant: TenantId, agent_id: AgentId, name: str, config: AgentConfig) -> None:
    has_model = config.clients.chat is not None
    known = await credential_names(runtime, tenant, config.project_name) if has_model else None
    await runtime.agents.defined.check(tenant, agent_id, name, config, known)
