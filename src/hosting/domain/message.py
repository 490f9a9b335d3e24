"""A message of a conversation, as agents are given it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from events.branches import Content, FunctionCall, TextContent
from events.ids import MessageId, RunId
from events.text import Role


class MessageState(StrEnum):
    """How far a message has come.

    One that is calling has said everything, but not all tools that it calls have answered; a discarded one was written
    anew, since a crash cut it or its agent did not take it; a nested one was said inside of nested work and is no part
    of the conversation; a compacted one was, and has given way to a summary: only its id is kept.
    """

    OPEN = "open"
    CALLING = "calling"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    DISCARDED = "discarded"
    NESTED = "nested"
    COMPACTED = "compacted"

    @property
    def is_ended(self) -> bool:
        """Whether the message is a part of the conversation from now on."""
        return self in {MessageState.COMPLETE, MessageState.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Message:
    """A message as stored.

    `attachment` is JSON that whoever wrote the message keeps with it for as long as its run lasts: what a model wants
    back besides the words.
    """

    id: MessageId
    role: Role
    contents: tuple[Content, ...]
    state: MessageState = MessageState.COMPLETE
    run_id: RunId | None = None
    attachment: bytes | None = None

    @property
    def text(self) -> str:
        """The message's text, its pieces joined."""
        return "".join(content.text for content in self.contents if isinstance(content, TextContent))

    @property
    def calls(self) -> tuple[FunctionCall, ...]:
        """The tools that the message calls, in order."""
        return tuple(content for content in self.contents if isinstance(content, FunctionCall))


def first_user_text(messages: Sequence[Message]) -> str | None:
    """Return what a user says first in so many words; None when there are only files."""
    return next((message.text for message in messages if message.role is Role.USER and message.text), None)
