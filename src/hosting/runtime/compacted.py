"""What a soft compaction keeps with the branch: from where on agents are given its messages, and what stands before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from events.branches import TextContent
from events.compaction import ReplacementMessage
from events.ids import MessageId
from events.text import Role
from hosting.domain.message import Message
from middleware.compaction_choice import replaced
from middleware.compaction_prompt import SUMMARY_BEGINS

COMPACTED: Final = "compaction"
"""The name that it is kept under."""


class Compacted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Everything up to and with the message `through` has given way, to a summary if there is one.

    A fork copies this too; one that was made before `through` has no such message, and is given all that it has.
    """

    through: MessageId
    at: datetime
    summary_id: MessageId | None = None
    summary: str | None = None

    def encoded(self) -> bytes:
        """Return the form that is kept."""
        return msgspec.json.encode(self)

    def seen(self, messages: Sequence[Message]) -> list[Message]:
        """Return a history as agents are given it."""
        by = self.stand_in
        return replaced(messages, self.through, () if by is None else (by,))

    @property
    def stand_in(self) -> Message | None:
        """The message that stands for those that gave way."""
        if self.summary_id is None or self.summary is None:
            return None
        return summary_message(self.summary_id, self.summary)

    def holds(self, messages: Sequence[Message]) -> bool:
        """Say whether anything of a history has given way."""
        return any(message.id == self.through for message in messages)


def read_compacted(kept: bytes | None) -> Compacted | None:
    """Undo `encoded`."""
    return None if kept is None else msgspec.json.decode(kept, type=Compacted)


def summary_message(message_id: MessageId, text: str) -> Message:
    """Return the message that stands for those that gave way."""
    return Message(message_id, Role.SYSTEM, (TextContent(text=f"{SUMMARY_BEGINS}{text}"),))


def told_message(message: Message) -> ReplacementMessage:
    """Return a message as BRANCH_HISTORY_COMPACTED tells it."""
    return ReplacementMessage(message_id=message.id, role=message.role, contents=message.contents)
