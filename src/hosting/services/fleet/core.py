"""What every verb of the fleet works with."""

from dataclasses import dataclass

from hosting.ports.store import Leases
from hosting.ports.tokens import WorkerTokens
from hosting.ports.work import Workers, WorkQueue
from hosting.runtime.core import Runtime
from hosting.runtime.desks import Desks


@dataclass(frozen=True, slots=True)
class Fleet:
    """The parts that the verbs of the fleet are made of.

    A worker that is silent for `lease_seconds` loses what it has; after `attempts` losses an item is given up.
    """

    runtime: Runtime
    work: WorkQueue
    workers: Workers
    leases: Leases
    desks: Desks
    tokens: WorkerTokens
    lease_seconds: float
    attempts: int
