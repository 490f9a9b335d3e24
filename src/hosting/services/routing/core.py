"""What every verb of routing works with."""

from dataclasses import dataclass
from random import Random

from hosting.ports.clock import Clock
from hosting.ports.routing import RoutingStore
from hosting.runtime.agents import Agents
from hosting.services.routing.known_posteriors import KnownPosteriors


@dataclass(frozen=True, slots=True)
class Router:
    """The parts that the verbs of routing are made of.

    Unless it is `enabled`, nobody is told which provider to take; what is observed is learnt all the same.
    """

    store: RoutingStore
    known: KnownPosteriors
    agents: Agents
    chance: Random
    clock: Clock
    enabled: bool
    exploration_rate: float
