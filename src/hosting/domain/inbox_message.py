"""A message to whoever works on an item."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hosting.domain.work_item import WorkerId, WorkItemId


class Lane(StrEnum):
    """Which messages a worker is given first; the other lane waits until the urgent one is empty."""

    URGENT = "urgent"
    NORMAL = "normal"


class InboxType(StrEnum):
    """What a message is (docs/reference/worker-protocol.md)."""

    STOP = "stop"
    DIRECTIVE = "directive"
    HOOK_RESULT = "hook-result"
    NUDGE = "nudge"


_URGENT = {InboxType.STOP, InboxType.DIRECTIVE}
_SPOKEN = {InboxType.DIRECTIVE, InboxType.HOOK_RESULT}


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message; every claim of its item hears it once, a directive also when an earlier claim has acknowledged it.

    `turn_id` is the message of the conversation that a directive brings, `request_id` the question that a hook result
    answers. One with a `worker_id` is for that worker alone, whoever has the item.
    """

    id: str
    item_id: WorkItemId
    type: InboxType
    payload: str
    created_at: datetime
    turn_id: str | None = None
    request_id: str | None = None
    worker_id: WorkerId | None = None
    user_id: str | None = None
    user_name: str | None = None

    @property
    def lane(self) -> Lane:
        """Where it waits."""
        return Lane.URGENT if self.type in _URGENT else Lane.NORMAL

    @property
    def kind(self) -> str:
        """What newer workers call it: the turn of a user, or nothing."""
        return "user" if self.type is InboxType.DIRECTIVE else ""

    @property
    def text(self) -> str:
        """What an agent is told of it; workers pass over a message without any."""
        return self.payload if self.type in _SPOKEN else ""


def stop_of(item_id: WorkItemId, worker_id: WorkerId, at: datetime) -> InboxMessage:
    """Return what tells a worker to stop working on an item; told twice, it is the same message."""
    hexes = item_id.rpartition("_")[2]
    return InboxMessage(f"inb_{hexes}", item_id, InboxType.STOP, "The run was interrupted.", at, worker_id=worker_id)
