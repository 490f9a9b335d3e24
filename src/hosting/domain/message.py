"""A message of a conversation, as agents are given it."""

from dataclasses import dataclass
from enum import StrEnum

from events.branches import Content, TextContent
from events.ids import MessageId, RunId
from events.text import Role


class MessageState(StrEnum):
    """How far a message has come; a discarded one was cut by a crash and written anew."""

    OPEN = "open"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as stored."""

    id: MessageId
    role: Role
    contents: tuple[Content, ...]
    state: MessageState = MessageState.COMPLETE
    run_id: RunId | None = None

    @property
    def text(self) -> str:
        """The message's text, its pieces joined."""
        return "".join(content.text for content in self.contents if isinstance(content, TextContent))
