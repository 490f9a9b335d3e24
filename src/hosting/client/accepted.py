"""What a server says of an input that it took."""

from msgspec import Struct

from events.ids import MessageId, RunId
from events.runs import RunStatus


class Accepted(Struct, frozen=True, kw_only=True, rename="camel"):
    """An input that is stored and will be answered; following from `position` shows everything about it."""

    runtime_run_id: RunId
    message_id: MessageId
    status: RunStatus
    position: str
    queued_position: int | None = None
    """Its place in the queue, from 1; only when it waits."""
