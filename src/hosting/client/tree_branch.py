"""A branch as it stands in the tree of its session."""

from datetime import datetime

from msgspec import Struct

from events.ids import BranchId, MessageId


class TreeBranch(Struct, frozen=True, kw_only=True, rename="camel"):
    """A branch and the forks that were made of it, its `children`; an original was forked from nothing."""

    branch_id: BranchId
    name: str
    forked_from: BranchId | None = None
    forked_at_message_id: MessageId | None = None
    forked_at_message_index: int | None = None
    message_count: int
    created_at: datetime
    children: tuple[BranchId, ...]
