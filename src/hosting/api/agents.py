"""Routes of agents: those that the server was started with, and those that are defined over HTTP."""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from events.ids import AgentId
from hosting.api.agent_views import AgentSummaryView, AgentView
from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.caller import Caller
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.api.sessions import LARGEST_OFFSET
from hosting.domain.config_text import read_config
from hosting.domain.definition import AgentConfig, Definition
from hosting.domain.errors import ConfigRefused
from hosting.domain.identity import Identity, Role
from hosting.domain.reach import credential_sent_elsewhere
from hosting.runtime.definitions import create_definition, delete_definition, refuse_registered, revise_definition
from hosting.runtime.keyed import Keyed

LISTED: Final = 2000
MOST_LISTED: Final = 10_000

_CHANGED: Final = (
    "agent-not-found",
    "invalid-request",
    "unknown-member",
    "config-refused",
    "agent-not-stored",
    "payload-too-large",
    "unsupported-media-type",
    "no-sealing-key",
    "storage-unavailable",
)


class CreateAgent(Struct, frozen=True, kw_only=True, rename="camel"):
    """An agent that is to be; it gets an id."""

    name: str
    config: msgspec.Raw
    metadata: dict[str, Any] | None = None


class UpdateAgent(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an agent is built from, from now on."""

    config: msgspec.Raw


@post(
    "/agents",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(CreateAgent),
    responses=answers(
        "invalid-request",
        "unknown-member",
        "config-refused",
        "payload-too-large",
        "unsupported-media-type",
        "no-sealing-key",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_agent(request: Request[Any, Any, Any], caller: NamedDependency[Caller]) -> Response[AgentView]:
    """Define an agent."""

    async def create(keyed: Keyed[Definition] | None) -> Definition:
        body = await decode_body(await read_body(request), CreateAgent)
        try:
            config = await _config(body.config)
            _check_asker(caller.identity, config)
            return await create_definition(
                caller.runtime, caller.tenant, body.name, config, body.metadata or {}, keyed=keyed
            )
        except ConfigRefused as error:
            raise error.below("/config") from error

    return await once(request, caller, create, lambda made: shown(AgentView.of_definition(made), f"/agents/{made.id}"))


@get("/agents", responses=answers("invalid-request", "storage-unavailable"))
async def list_agents(
    caller: NamedDependency[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_LISTED)] = LISTED,
    offset: Annotated[int, QueryParameter(ge=0, le=LARGEST_OFFSET)] = 0,
) -> list[AgentSummaryView]:
    """List agents: those that the server was started with, then those that are stored, oldest first."""
    registered = caller.runtime.agents.registered()
    shown = [AgentSummaryView.of_registered(*named) for named in registered.items()][offset : offset + limit]
    if len(shown) == limit:
        return shown
    stored = await caller.definitions.summaries(limit - len(shown), max(0, offset - len(registered)))
    return [*shown, *map(AgentSummaryView.of, stored)]


@get("/agents/{agent_id:str}", responses=answers("agent-not-found", "storage-unavailable"))
async def get_agent(agent_id: FromPath[str], caller: NamedDependency[Caller]) -> AgentView:
    """Show an agent; of one that is stored, what it is built from."""
    registered = caller.runtime.agents.registered().get(agent_id)
    if registered is not None:
        return AgentView.of_registered(agent_id, registered)
    return AgentView.of_definition(await caller.definition(AgentId(agent_id)))


@put(
    "/agents/{agent_id:str}",
    request_max_body_size=MAX_BODY,
    opt=takes(UpdateAgent),
    responses=answers(*_CHANGED),
)
async def put_agent(
    agent_id: FromPath[str], request: Request[Any, Any, Any], caller: NamedDependency[Caller]
) -> AgentView:
    """Give a stored agent a new config; runs that have begun, or wait, go on with the one they were accepted with."""
    stored = await _stored(caller, agent_id)
    body = await decode_body(await read_body(request), UpdateAgent)
    try:
        config = await _config(body.config)
        if stored is None:
            raise refuse_registered(caller.runtime, AgentId(agent_id))
        _check_asker(caller.identity, config)
        revised = await revise_definition(caller.runtime, caller.tenant, stored, config)
    except ConfigRefused as error:
        raise error.below("/config") from error
    return AgentView.of_definition(revised)


@delete(
    "/agents/{agent_id:str}",
    status_code=204,
    responses=answers("agent-not-found", "agent-not-stored", "storage-unavailable"),
)
async def delete_agent(agent_id: FromPath[str], caller: NamedDependency[Caller]) -> None:
    """Delete a stored agent; runs that have begun, or wait, go on."""
    if await _stored(caller, agent_id) is None:
        raise refuse_registered(caller.runtime, AgentId(agent_id))
    await delete_definition(caller.runtime, caller.tenant, AgentId(agent_id))


async def _stored(caller: Caller, agent_id: str) -> Definition | None:
    """Return a stored agent; None for one that the server was started with."""
    is_registered = agent_id in caller.runtime.agents.registered()
    return None if is_registered else await caller.definition(AgentId(agent_id))


def _check_asker(identity: Identity, config: AgentConfig) -> None:
    pointer = credential_sent_elsewhere(config)
    if pointer is not None and Role.OPERATOR not in identity.roles:
        # Or whoever defines agents could have any credential of the tenant brought to a server of its own.
        raise ConfigRefused(pointer, "Only an operator may have a credential sent to an address of the definition's.")


async def _config(given: msgspec.Raw) -> AgentConfig:
    return await asyncio.to_thread(read_config, bytes(given), AgentConfig)
