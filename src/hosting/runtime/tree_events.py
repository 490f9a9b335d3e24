"""Telling a branch's log that its place in the tree has changed."""

from collections.abc import Sequence
from datetime import datetime

from events.serializer import Encoded, Stamp
from events.tree import BranchTreeUpdated
from hosting.domain.branch import Branch
from hosting.domain.tree import Tree
from hosting.ports.units import TellTree
from hosting.runtime.core import Runtime


def telling_tree(runtime: Runtime, now: datetime) -> TellTree:
    """Return what tells where a branch stands when a unit is written."""

    def tell(branch: Branch, relatives: Sequence[Branch]) -> list[Encoded]:
        stamp = Stamp(branch.scope.session_id, branch.scope.branch_id).at(now)
        return [runtime.serializer.encode(tree_updated(branch, relatives), stamp)]

    return tell


def tree_updated(branch: Branch, relatives: Sequence[Branch]) -> BranchTreeUpdated:
    """Return the event that says where a branch stands."""
    place = Tree(relatives).place_of(branch)
    return BranchTreeUpdated(
        forked_from=branch.forked_from,
        forked_at_message_id=branch.forked_at_message_id,
        forked_at_message_index=branch.forked_at_message_index,
        sibling_index=place.index,
        total_siblings=len(place.group),
        is_original=branch.forked_from is None,
        original_branch_id=branch.forked_from,
        previous_sibling_id=place.previous,
        next_sibling_id=place.following,
        child_branches=place.children,
    )
