"""A request about routing: who asks, and what answers."""

from dataclasses import dataclass

from hosting.domain.identity import Identity
from hosting.services.fleet.core import Fleet
from hosting.services.routing.core import Router


@dataclass(frozen=True, slots=True)
class RoutingCall:
    """What the routes of routing are handed, in one piece: for each of several the framework would start a task.

    That is a tenth of what a selection may take, since an agent waits for it.
    """

    identity: Identity
    fleet: Fleet
    router: Router
