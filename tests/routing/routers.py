"""Routers on a database, put together by hand."""

from collections.abc import Mapping
from functools import partial
from random import Random
from time import monotonic
from typing import Any

from hosting.adapters.sql.database import Database
from hosting.ports.clock import Clock, system_clock
from hosting.runtime.agents import Agents, Registered
from hosting.runtime.defined_agents import DefinedAgents
from hosting.runtime.workshop import Workshop
from hosting.services.routing.core import Router
from hosting.services.routing.known_posteriors import KnownPosteriors
from hosting.services.routing.sampler import Sampler
from tests.definitions.made import CIPHER


def router_with(
    database: Database, clock: Clock = system_clock, registered: Mapping[str, Registered] | None = None, **more: Any
) -> Router:
    """Return a router that is on, and whose chance can be looked at; `more` is of its sampler."""
    known = KnownPosteriors(database.routing, monotonic)
    said: dict[str, Any] = {"known": known, "chance": Random(11), "enabled": True, "exploration_rate": 0.5}
    return Router(
        store=database.routing,
        sampler=Sampler(**(said | more)),
        agents=Agents(registered or {}, None, DefinedAgents(partial(database.definitions, cipher=CIPHER), Workshop())),
        clock=clock,
    )
