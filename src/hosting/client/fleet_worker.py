"""What a server says of a worker of its fleet."""

from typing import Any

from msgspec import Struct


class HostStatusShown(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker is told of its host: `ok`, or why it is to ask for no work."""

    status: str
    recommended_action: str | None = None
    candidate_pool_ids: tuple[str, ...] = ()


class FleetWorker(Struct, frozen=True, kw_only=True, rename="camel"):
    """A worker; `session_count` is how many sessions it has, by the server's count.

    Times are milliseconds since 1970. `status` is `offline` when nothing was heard of it for as long as a lease.
    """

    id: str
    hostname: str
    status: str
    capacity: int
    session_count: int
    active_count: int
    projects: tuple[str, ...] = ()
    project: str | None = None
    host_status: HostStatusShown | None = None
    version: str | None = None
    registered_at: int
    last_heartbeat: int


class FleetSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fleet in numbers; capacities are those of the workers that are there."""

    total_workers: int
    active_workers: int
    total_capacity: int
    total_active: int
    available_capacity: int
    queue_length: int


class FleetShown(Struct, frozen=True, kw_only=True):
    """The fleet, whoever was heard of last first."""

    workers: tuple[FleetWorker, ...]
    summary: FleetSummary


class Mutation(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that a worker was asked to do to its host; its heartbeats bring it until it says what became of it."""

    id: str
    op: str
    params: dict[str, Any]
    requested_at: str
    requested_by: str
