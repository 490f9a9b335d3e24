"""Branches as the routes show them: one by one with their places, and as a tree."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from events.event import written
from events.ids import BranchId, MessageId, SessionId
from hosting.domain.branch import Branch
from hosting.domain.tree import Tree, depths


class BranchView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A branch; `name` is for display and at most 30 characters long."""

    id: BranchId
    session_id: SessionId
    name: str
    description: str | None = None
    created_at: datetime
    last_activity: datetime
    message_count: int
    tags: tuple[str, ...] | None = None
    forked_from: BranchId | None = None
    """The source of a fork; so do the next three say nothing of an original."""
    forked_at_message_id: MessageId | None = None
    forked_at_message_index: int | None = None
    ancestors: dict[str, BranchId] | None = None
    """By depth from `"0"`; the source is the last one."""
    sibling_index: int
    total_siblings: int
    """How many there are in its group, the source counted."""
    is_original: bool = written(value=True)
    original_branch_id: BranchId | None = None
    """The source of a fork."""
    previous_sibling_id: BranchId | None = None
    next_sibling_id: BranchId | None = None
    child_branches: tuple[BranchId, ...]
    """Its forks, in order of creation."""
    total_forks: int
    metadata: dict[str, Any] | None = None

    @classmethod
    def of(cls, branch: Branch, tree: Tree) -> "BranchView":
        """Show a branch in its place."""
        place = tree.place_of(branch)
        return cls(
            id=branch.scope.branch_id,
            session_id=branch.scope.session_id,
            name=branch.display_name,
            description=branch.description,
            created_at=branch.created_at,
            last_activity=branch.last_activity,
            message_count=branch.message_count,
            tags=branch.tags,
            forked_from=branch.forked_from,
            forked_at_message_id=branch.forked_at_message_id,
            forked_at_message_index=branch.forked_at_message_index,
            ancestors=depths(branch.ancestors) if branch.ancestors else None,
            sibling_index=place.index,
            total_siblings=len(place.group),
            is_original=branch.forked_from is None,
            original_branch_id=branch.forked_from,
            previous_sibling_id=place.previous,
            next_sibling_id=place.following,
            child_branches=place.children,
            total_forks=len(place.children),
            metadata=None if branch.metadata is None else dict(branch.metadata),
        )


class TreeBranchView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A branch as a tree is drawn of it; `name` is for display and at most 30 characters long."""

    branch_id: BranchId
    name: str
    forked_from: BranchId | None = None
    forked_at_message_id: MessageId | None = None
    forked_at_message_index: int | None = None
    message_count: int
    created_at: datetime
    children: tuple[BranchId, ...]


class TreeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """All branches of a session, in order of creation."""

    branches: tuple[TreeBranchView, ...]

    @classmethod
    def of(cls, branches: Sequence[Branch]) -> "TreeView":
        """Show a session's branches."""
        tree = Tree(branches)
        return cls(branches=tuple(_drawn(branch, tree) for branch in branches))


def _drawn(branch: Branch, tree: Tree) -> TreeBranchView:
    return TreeBranchView(
        branch_id=branch.scope.branch_id,
        name=branch.display_name,
        forked_from=branch.forked_from,
        forked_at_message_id=branch.forked_at_message_id,
        forked_at_message_index=branch.forked_at_message_index,
        message_count=branch.message_count,
        created_at=branch.created_at,
        children=tree.place_of(branch).children,
    )
