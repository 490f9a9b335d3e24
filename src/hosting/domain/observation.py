"""What a run has come to, as a router learns from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from events.ids import RunId
from hosting.domain.arm import Arm


class QaResult(StrEnum):
    """What the tests said of a run's work."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class RunOutcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What else is said of a run: shown to people, and nothing is learnt from it."""

    project: str | None = None
    issue_identifier: str | None = None
    task_completed: bool | None = None
    pr_created: bool | None = None
    qa_result: QaResult | None = None
    wall_clock_ms: int | None = None


NO_OUTCOME: Final = RunOutcome()


@dataclass(frozen=True, slots=True)
class Observation:
    """A reward that an arm has brought in a session; its `cost` is in dollars, and None when nobody says.

    With the same key, session and arm it is the same observation, and counts once.
    """

    arm: Arm
    session_id: str
    key: str
    reward: float
    observed_at: datetime
    cost: float | None = None
    outcome: RunOutcome = NO_OUTCOME


def key_of_report(claim: int, observation_id: str | None = None) -> str:
    """Return the key of what a worker observes: by the id that it gives, or else once for each time it was claimed."""
    return f"id:{observation_id}" if observation_id else f"claim:{claim}"


def key_of_run(run_id: RunId) -> str:
    """Return the key of what a run of this server's own comes to."""
    return f"run:{run_id}"
