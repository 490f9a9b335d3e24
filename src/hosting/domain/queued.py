"""A run that waits for its branch, with the messages that will begin it."""

from dataclasses import dataclass
from datetime import datetime

from hosting.domain.message import Message
from hosting.domain.run import Run
from hosting.domain.work_item import Offer


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """A queued run; none of its messages is part of the conversation yet.

    `offer` is how it will be offered to workers, told when it begins to wait.
    """

    run: Run
    messages: tuple[Message, ...]
    queued_at: datetime
    client_input_id: str | None = None
    offer: Offer | None = None
