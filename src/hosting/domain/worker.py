"""A worker: a member of the fleet, which polls for work."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hosting.domain.host_status import HostState, HostStatus
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId, WorkItem

ACTIVE: Final = "active"
"""How those are that do not say."""
OFFLINE: Final = "offline"
DRAINING: Final = "draining"

_LONGEST_SILENCE_SECONDS: Final = 180.0
"""Six heartbeats that did not come (docs/reference/worker-protocol.md)."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as registered, and as its last heartbeat told of it.

    One without `projects` takes the work of all; `project` is the one that its key is bound to.
    One with `agents` takes only the work of these.
    `raw` is its registration and `heartbeat` its last heartbeat, as their members came.
    `silent_seconds` counts from that on the store's clock, and `holds` the items that it has; both when it was read.
    """

    id: WorkerId
    tenant: TenantId
    registration_id: str
    hostname: str
    capacity: int
    registered_at: datetime
    last_heartbeat: datetime
    key_id: str | None = None
    project: str | None = None
    projects: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    version: str | None = None
    status: str = ACTIVE
    active_count: int = 0
    load: dict[str, Any] | None = None
    host_status: HostStatus | None = None
    raw: bytes = b"{}"
    heartbeat: bytes | None = None
    silent_seconds: float = 0.0
    holds: int = 0

    @property
    def admitted(self) -> frozenset[str]:
        """The projects whose work it takes; none stands for all."""
        if self.project is not None:
            return frozenset({self.project})
        return frozenset(self.projects)

    def is_for_project(self, item: WorkItem) -> bool:
        """Say whether it takes the work of an item's project."""
        return not self.admitted or item.terms.project in {None, *self.admitted}

    def is_for_agent(self, item: WorkItem) -> bool:
        """Say whether it takes the work of an item's agent."""
        return not self.agents or bool({item.agent_id, item.agent_name} & {*self.agents})

    def takes(self, item: WorkItem) -> bool:
        """Say whether an item is of a project and an agent whose work it takes."""
        return self.is_for_project(item) and self.is_for_agent(item)

    def is_offline(self, lease_seconds: float) -> bool:
        """Whether nothing was heard of it for so long that it counts as gone: by then it has lost all that it had."""
        return self.silent_seconds > min(lease_seconds, _LONGEST_SILENCE_SECONDS)

    @property
    def is_drained(self) -> bool:
        """Whether it is to get no more work: its operator wants none for it, or it is about to leave."""
        told = self.host_status is not None and self.host_status.status is not HostState.OK
        return told or self.status == DRAINING

    def shown_status(self, lease_seconds: float) -> str:
        """How it is, for whoever looks."""
        return OFFLINE if self.is_offline(lease_seconds) else self.status


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker says of itself now and then; None leaves what is known as it is."""

    active_count: int
    status: str = ACTIVE
    load: dict[str, Any] | None = None
    capacity: int | None = None
    projects: tuple[str, ...] | None = None
    raw: bytes = b"{}"
