"""An assistant's message: its text, and the reasoning before it."""

from typing import ClassVar

from events.event import Event
from events.ids import MessageId
from events.wire_enum import WireEnum


class Role(WireEnum):
    """Who speaks in a message."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class TextMessageStart(Event, frozen=True, kw_only=True):
    """The text of a message begins."""

    wire_type: ClassVar[str] = "TEXT_MESSAGE_START"

    message_id: MessageId
    role: Role


class TextDelta(Event, frozen=True, kw_only=True):
    """A piece of a message's text; the pieces joined in order are the text."""

    wire_type: ClassVar[str] = "TEXT_DELTA"

    text: str
    message_id: MessageId
    turn_id: str | None = None
    """Which turn of its worker's the piece was relayed of."""
    index: int | None = None
    """Which piece of that turn it is, from 0; what is missing between two was not relayed."""


class TextMessageEnd(Event, frozen=True, kw_only=True):
    """The text of a message has ended; `interrupted` when it was cut."""

    wire_type: ClassVar[str] = "TEXT_MESSAGE_END"

    message_id: MessageId
    interrupted: bool | None = None


class ReasoningMessageStart(Event, frozen=True, kw_only=True):
    """The reasoning of a message begins."""

    wire_type: ClassVar[str] = "REASONING_MESSAGE_START"

    message_id: MessageId
    role: Role


class ReasoningDelta(Event, frozen=True, kw_only=True):
    """A piece of a message's reasoning."""

    wire_type: ClassVar[str] = "REASONING_DELTA"

    text: str
    message_id: MessageId


class ReasoningMessageEnd(Event, frozen=True, kw_only=True):
    """The reasoning of a message has ended; `interrupted` when it was cut."""

    wire_type: ClassVar[str] = "REASONING_MESSAGE_END"

    message_id: MessageId
    interrupted: bool | None = None
