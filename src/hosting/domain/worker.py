"""A worker: a member of the fleet, which polls for work."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as registered, and as its last heartbeat told of it.

    One without `projects` takes the work of all; `project` is the one that its key is bound to.
    One with `agents` takes only the work of these.
    `raw` is its registration, word for word.
    """

    id: WorkerId
    tenant: TenantId
    registration_id: str
    hostname: str
    capacity: int
    registered_at: datetime
    last_heartbeat: datetime
    project: str | None = None
    projects: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    version: str | None = None
    status: str = "active"
    active_count: int = 0
    load: dict[str, Any] | None = None
    host_status: dict[str, Any] | None = None
    raw: bytes = b"{}"

    @property
    def admitted(self) -> frozenset[str]:
        """The projects whose work it takes; none stands for all."""
        if self.project is not None:
            return frozenset({self.project})
        return frozenset(self.projects)
