"""A branch: one path of conversation with a log of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from events.position import Position
from hosting.domain.scope import BranchKey, BranchScope

_LONGEST_NAME: Final = 30


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch as stored; `head` is the number of the last event in its log."""

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
    first_user_text: str | None = field(default=None)

    @property
    def position(self) -> Position:
        """The place of the last event."""
        return Position(self.epoch, self.head)

    @property
    def display_name(self) -> str:
        """What a list shows: name, description, first user message or id, at most 30 characters."""
        whole = self.name or self.description or self.first_user_text or self.scope.branch_id
        return whole if len(whole) <= _LONGEST_NAME else f"{whole[: _LONGEST_NAME - 3]}..."
