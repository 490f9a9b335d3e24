"""A branch: one path of conversation with a log of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.ids import BranchId, MessageId
from events.position import Position
from hosting.domain.scope import BranchKey, BranchScope

_LONGEST_NAME: Final = 30


@dataclass(frozen=True, slots=True)
class BranchPatch:
    """What a client changes of a branch; None leaves a member as it is, and so does a name missing in `metadata`."""

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch as stored; `head` is the number of the last event in its log, `trimmed` of the last that it has lost.

    A fork has a source, `forked_from`, and the place of the last message that it was given; `ancestors` begins with
    the branch that was not forked and ends with the source.
    """

    key: BranchKey
    scope: BranchScope
    epoch: str
    head: int
    created_at: datetime
    last_activity: datetime
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] | None = None
    message_count: int = 0
    first_user_text: str | None = None
    forked_from: BranchId | None = None
    forked_at_message_id: MessageId | None = None
    forked_at_message_index: int | None = None
    ancestors: tuple[BranchId, ...] = ()
    trimmed: int = 0

    @property
    def earliest(self) -> Position:
        """The place before the oldest event that is left."""
        return Position(self.epoch, self.trimmed)

    @property
    def position(self) -> Position:
        """The place of the last event."""
        return Position(self.epoch, self.head)

    @property
    def display_name(self) -> str:
        """What a list shows: name, description, first user message or id, at most 30 characters."""
        whole = self.name or self.description or self.first_user_text or self.scope.branch_id
        return whole if len(whole) <= _LONGEST_NAME else f"{whole[: _LONGEST_NAME - 3]}..."
