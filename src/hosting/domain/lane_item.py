"""An item of a lane: work that belongs to no run, for workers that can do it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId

LaneItemId = NewType("LaneItemId", str)


class Lane(StrEnum):
    """What kind of work it is; see docs/reference/worker-protocol.md, Polling."""

    BATCH = "batch"
    KG_EXTRACT = "kg-extract"
    LANDING = "landing"

    def is_for(self, capabilities: Iterable[str]) -> bool:
        """Whether a worker that says this of itself can do it."""
        if self is Lane.KG_EXTRACT:
            return any(each.startswith(_KG_EXTRACT) for each in capabilities)
        return _CAPABILITY[self] in capabilities

    @property
    def most_held(self) -> int:
        """How many items a worker has of it at once."""
        return _MOST_HELD[self]

    @property
    def has_result(self) -> bool:
        """Whether workers say what came of it; if not, it is done when it is handed out."""
        return self is not Lane.LANDING


_KG_EXTRACT = "kg-extract"
_CAPABILITY = {Lane.BATCH: "code-survival-scan", Lane.LANDING: "merge-queue"}
_MOST_HELD = {Lane.BATCH: 5, Lane.KG_EXTRACT: 2, Lane.LANDING: 5}


class LaneState(StrEnum):
    """Where an item of a lane stands."""

    PENDING = "pending"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class LaneItem:
    """An item as stored; `payload` is what was put in, `attempts` how often it was handed out."""

    id: LaneItemId
    tenant: TenantId
    lane: Lane
    payload: dict[str, Any] = field(repr=False)
    queued_at: datetime
    project: str | None = None
    worker_id: WorkerId | None = None
    attempts: int = 0
    result: bytes | None = None
    completed_at: datetime | None = None

    @property
    def state(self) -> LaneState:
        """Where it stands."""
        if self.completed_at is None:
            return LaneState.PENDING if self.worker_id is None else LaneState.CLAIMED
        if self.lane.has_result and self.result is None:
            return LaneState.GIVEN_UP
        return LaneState.COMPLETED

    @property
    def result_id(self) -> str | None:
        """What its result is known by, when it is known by something."""
        said = (self.payload.get("attributionId"), self.payload.get("checkpoint"))
        return None if None in said else f"{said[0]}:{said[1]}"
