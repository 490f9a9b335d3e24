"""What can go wrong with work items.

BranchlineError
+-- NotFound
|   +-- WorkItemMissing
+-- Conflict
    +-- WorkEnded         the item has its terminal state already
    +-- WorkNotThere      the item is not in a state from which it could get there
"""

from hosting.domain.errors import Conflict, NotFound
from hosting.domain.work_item import WorkItemId, WorkState


class WorkItemMissing(NotFound):
    """No such work item; workers know it as their session."""

    code = "work-session-not-found"

    def __init__(self) -> None:
        # As workers know it (docs/reference/worker-protocol.md).
        super().__init__("Session not found")


class WorkEnded(Conflict):
    """A work item has ended, and takes nothing more."""

    code = "work-session-ended"

    def __init__(self, item_id: WorkItemId, state: WorkState) -> None:
        self.state = state
        super().__init__(f"Session {item_id[:100]!r} is {state} already; nothing more is taken of it.")


class WorkNotThere(Conflict):
    """A work item cannot get from where it is to where it is said to be."""

    code = "work-transition-refused"

    def __init__(self, item_id: WorkItemId, state: WorkState, wanted: str) -> None:
        super().__init__(f"Session {item_id[:100]!r} is {state} and cannot become {wanted[:100]}.")
