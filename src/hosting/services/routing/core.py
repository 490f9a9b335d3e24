"""What every verb of routing works with."""

from dataclasses import dataclass

from hosting.ports.clock import Clock
from hosting.ports.routing import RoutingStore
from hosting.runtime.agents import Agents
from hosting.services.routing.sampler import Sampler


@dataclass(frozen=True, slots=True)
class Router:
    """The parts that the verbs of routing are made of.

    Unless its sampler is enabled, nobody is told which provider to take; what is observed is learnt all the same.
    """

    store: RoutingStore
    sampler: Sampler
    agents: Agents
    clock: Clock
