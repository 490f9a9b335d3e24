"""What every verb of the fleet works with."""

from dataclasses import dataclass

from hosting.ports.file_reservations import FileReservations
from hosting.ports.git_credentials import GitCredentials
from hosting.ports.inbox import Inbox
from hosting.ports.lanes import Lanes
from hosting.ports.mutations import Mutations
from hosting.ports.store import Leases, Watch
from hosting.ports.tokens import WorkerTokens
from hosting.ports.tracker import Tracker
from hosting.ports.work import Workers, WorkQueue
from hosting.runtime.core import Runtime
from hosting.runtime.desks import Desks


@dataclass(frozen=True, slots=True)
class Fleet:
    """The parts that the verbs of the fleet are made of.

    A worker that is silent for `lease_seconds` loses what it has; after `attempts` losses an item is given up.
    What it has of a lane it loses after `lane_seconds`.
    """

    runtime: Runtime
    work: WorkQueue
    workers: Workers
    mutations: Mutations
    inbox: Inbox
    leases: Leases
    watch: Watch
    files: FileReservations
    tracker: Tracker | None
    desks: Desks
    tokens: WorkerTokens
    lanes: Lanes
    git: GitCredentials
    lease_seconds: float
    lane_seconds: float
    attempts: int
