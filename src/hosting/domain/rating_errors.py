"""What can go wrong with ratings.

BranchlineError
+-- Conflict
    +-- RunNotEnded       it can still become better
    +-- RunRated          it is rated otherwise
"""

from events.ids import RunId
from events.runs import RunStatus
from hosting.domain.errors import Conflict


class RunNotEnded(Conflict):
    """A run can be rated once it has ended."""

    code = "run-not-ended"

    def __init__(self, run_id: RunId, status: RunStatus) -> None:
        super().__init__(f"Run {run_id!r} is {status}; it can be rated once it has ended.")


class RunRated(Conflict):
    """A run is rated once."""

    code = "run-already-rated"

    def __init__(self, run_id: RunId) -> None:
        super().__init__(f"Run {run_id!r} is rated already, otherwise than this.")
