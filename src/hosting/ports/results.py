"""What a unit says of what a run has come to."""

from dataclasses import dataclass

from events.ids import RunId
from hosting.domain.observation import Observation


@dataclass(frozen=True, slots=True)
class Observe:
    """Routers learn what a run has come to; an observation that was there before changes nothing."""

    observation: Observation


@dataclass(frozen=True, slots=True)
class RateRun:
    """A client rates a run, from 0 to 1; refused with RUN_NOT_RATABLE when it has not ended, or is rated."""

    run_id: RunId
    rating: float
