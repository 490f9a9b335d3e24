"""A mutation: something that an operator wants a worker to do to its host."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId


class MutationOp(StrEnum):
    """What workers can be asked for (docs/reference/worker-protocol.md)."""

    SESSION_KILL = "session.kill"
    POOL_DELETED = "pool.deleted"
    PROJECT_ENABLE = "project.enable"
    PROJECT_DISABLE = "project.disable"
    PROJECT_ADD = "project.add"
    PROJECT_REMOVE = "project.remove"
    MODEL_ACCESS_SET = "modelAccess.set"
    MODEL_ACCESS_CLEAR = "modelAccess.clear"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One that is asked for; it is told with every heartbeat until the worker says what became of it."""

    id: str
    tenant: TenantId
    worker_id: WorkerId
    op: MutationOp
    params: dict[str, Any]
    requested_at: datetime
    requested_by: str
