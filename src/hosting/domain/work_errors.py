"""What can go wrong with work items.

BranchlineError
+-- NotFound
|   +-- WorkItemMissing
|   +-- InboxMessageMissing
|   +-- QuestionMissing
+-- InvalidRequest
|   +-- MessageTooLong
+-- Conflict
    +-- WorkEnded         the item has its terminal state already
    +-- WorkNotThere      the item is not in a state from which it could get there
    +-- WorkNotDead       the item is none of those that were given up
    +-- FileReserved      another item has the file
    +-- QuestionRefused   a worker's question cannot be asked so
"""

from hosting.domain.errors import Conflict, InvalidRequest, NotFound
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


class MessageTooLong(InvalidRequest):
    """What a worker says would make a message too long, or an operator's word is too long to be one."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A message takes at most {most} bytes; what is longer must be said in several.")


class WorkNotDead(Conflict):
    """A work item is none of those that were given up, and cannot be requeued."""

    code = "work-session-not-dead"

    def __init__(self, item_id: WorkItemId, state: WorkState) -> None:
        super().__init__(f"Session {item_id[:100]!r} is {state}; only what is dead can be requeued, and once.")


class InboxMessageMissing(NotFound):
    """No such message in that lane of a session's inbox."""

    code = "inbox-message-not-found"

    def __init__(self) -> None:
        super().__init__("Message not found")


class QuestionMissing(NotFound):
    """No such question of a session."""

    code = "question-not-found"

    def __init__(self) -> None:
        super().__init__("Request not found")


class QuestionRefused(Conflict):
    """A worker asks what cannot be asked so."""

    code = "question-refused"


class FileReserved(Conflict):
    """A file is reserved by another session of the same project."""

    code = "file-reserved"

    def __init__(self, path: str, item_id: WorkItemId) -> None:
        super().__init__(f"The file {path[:100]!r} is reserved by session {item_id}.")
