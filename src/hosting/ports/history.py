"""What a run's unit takes from the conversation."""

from dataclasses import dataclass

from events.ids import MessageId
from hosting.domain.message import Message


@dataclass(frozen=True, slots=True)
class DiscardMessage:
    """An assistant's message that was a part of the conversation is none any more: another is written in its place."""

    message_id: MessageId


@dataclass(frozen=True, slots=True)
class CompactHistory:
    """Ended messages are no part of the conversation any more; `by` stands where the first of them stood, if given."""

    removed: tuple[MessageId, ...]
    by: Message | None = None
