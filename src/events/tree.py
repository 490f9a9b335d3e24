"""Events about where a branch stands among the others of its session."""

from typing import ClassVar

from events.event import Envelope, Event, Kind, written
from events.ids import BranchId, MessageId

_LIFECYCLE = Envelope(kind=Kind.LIFECYCLE)


class BranchForked(Event, frozen=True, kw_only=True):
    """The branch began as a copy of another one's messages, up to and with one of them; the copies follow."""

    wire_type: ClassVar[str] = "BRANCH_FORKED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    source_branch_id: BranchId
    from_message_id: MessageId
    resolved_message_index: int
    """The place of the last copied message, from 0."""
    ancestors: dict[str, BranchId]
    """The branches that it stems from, by depth from `"0"`; the source is the last one."""


class BranchTreeUpdated(Event, frozen=True, kw_only=True):
    """A fork of the branch has come or gone; all members say how things stand now."""

    wire_type: ClassVar[str] = "BRANCH_TREE_UPDATED"
    envelope: ClassVar[Envelope] = _LIFECYCLE

    forked_from: BranchId | None = None
    forked_at_message_id: MessageId | None = None
    forked_at_message_index: int | None = None
    sibling_index: int
    total_siblings: int
    is_original: bool = written(value=True)
    original_branch_id: BranchId | None = None
    previous_sibling_id: BranchId | None = None
    next_sibling_id: BranchId | None = None
    child_branches: tuple[BranchId, ...]
    """The branches forked from it, in order of creation."""
