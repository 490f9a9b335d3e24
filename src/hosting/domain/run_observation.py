"""What is observed of a run of this server's own: its end, that of nested work in it, and how a client rates it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from events.ids import RunId, SessionId
from hosting.domain.arm import Arm
from hosting.domain.observation import Observation, RunOutcome, key_of_run

_DEAR: Final = 5.0
"""Dollars; what costs more is no worse than that."""
_NO_PRICE: Final = 1e9
_SLOW: Final = timedelta(minutes=10)
_AT_STAKE: Final = 0.1
"""How much of a reward a run that is dear can lose, and how much one that is slow."""


@dataclass(frozen=True, slots=True)
class WorkEnd:
    """How a run, or nested work in it, has ended; `cost` is what its agent said, in dollars, and None if nothing."""

    succeeded: bool
    began: datetime
    ended: datetime
    cost: float | None = None

    @property
    def price(self) -> float | None:
        """The cost, if it can be one: what is none would spoil all that the arm has learnt."""
        return self.cost if self.cost is not None and 0.0 <= self.cost <= _NO_PRICE else None

    @property
    def reward(self) -> float:
        """Nothing for a failure; else the less, the dearer and the slower it was."""
        if not self.succeeded:
            return 0.0
        dear = min((self.price or 0.0) / _DEAR, 1.0)
        slow = min(max((self.ended - self.began) / _SLOW, 0.0), 1.0)
        return 1.0 - _AT_STAKE * dear - _AT_STAKE * slow


def observe_end(arm: Arm, session_id: SessionId, key: str, end: WorkEnd) -> Observation:
    """Return what an arm has brought with work that has ended by itself."""
    took = max(end.ended - end.began, timedelta())
    said = RunOutcome(task_completed=end.succeeded, wall_clock_ms=took // timedelta(milliseconds=1))
    return Observation(arm, session_id, key, end.reward, end.ended, end.price, said)


def observe_rating(arm: Arm, session_id: SessionId, run_id: RunId, rating: float, at: datetime) -> Observation:
    """Return what a client says that an arm has brought with a run; `rating` is from 0 to 1."""
    return Observation(arm, session_id, f"rating:{run_id}", rating, at)


def key_of_nested(run_id: RunId, place: str) -> str:
    """Return the key of what nested work comes to, which is a step of a run."""
    return f"{key_of_run(run_id)}:{place}"
