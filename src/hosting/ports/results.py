"""What a unit says of what a run has come to."""

from dataclasses import dataclass

from events.ids import RunId
from hosting.domain.observation import Observation
from hosting.domain.work_item import WorkItemId


@dataclass(frozen=True, slots=True)
class Observe:
    """Routers learn what a run has come to; an observation that was there before changes nothing."""

    observation: Observation


@dataclass(frozen=True, slots=True)
class RateRun:
    """A client rates a run, from 0 to 1; refused with RUN_NOT_RATABLE when it has not ended, or is rated."""

    run_id: RunId
    rating: float


@dataclass(frozen=True, slots=True)
class BuryWork:
    """An item that was given up is one no more; refused with WORK_NOT_DEAD when it is none."""

    item_id: WorkItemId
