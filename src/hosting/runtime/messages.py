"""Whole messages as the events that tell them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from events.branches import ContentAdded, MessageCompleted, MessageStarted
from events.event import Event
from hosting.domain.message import Message


def message_events(
    messages: Sequence[Message], created_at: datetime | None, client_input_id: str | None = None
) -> Iterator[Event]:
    """Tell whole messages: MESSAGE_STARTED, CONTENT_ADDED for each content, MESSAGE_COMPLETED."""
    for message in messages:
        yield MessageStarted(
            message_id=message.id, role=message.role, created_at=created_at, client_input_id=client_input_id
        )
        for content in message.contents:
            yield ContentAdded(message_id=message.id, content=content)
        yield MessageCompleted(message_id=message.id)
