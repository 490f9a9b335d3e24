"""Where branches stand: the siblings that a fork has, and the branches that were forked from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from events.ids import BranchId, MessageId
from hosting.domain.branch import Branch


@dataclass(frozen=True, slots=True)
class TreePlace:
    """Where a branch stands.

    `group` has a source first and then its forks at one message, in order of creation; `index` is the branch's own
    place in it, and `children` are its forks.
    """

    index: int
    group: tuple[BranchId, ...]
    children: tuple[BranchId, ...]

    @property
    def previous(self) -> BranchId | None:
        """Who stands before it."""
        return self.group[self.index - 1] if self.index else None

    @property
    def following(self) -> BranchId | None:
        """Who stands behind it."""
        return next(iter(self.group[self.index + 1 : self.index + 2]), None)


class Tree:
    """Branches of one session, and who was forked from whom."""

    def __init__(self, branches: Iterable[Branch]) -> None:
        self._forks: dict[BranchId, list[Branch]] = {}
        self._groups: dict[tuple[BranchId, MessageId | None], dict[BranchId, int]] = {}
        for branch in sorted(branches, key=lambda branch: (branch.created_at, branch.scope.branch_id)):
            if branch.forked_from is not None:
                self._forks.setdefault(branch.forked_from, []).append(branch)
                self._group(branch)

    def place_of(self, branch: Branch) -> TreePlace:
        """Return a branch's place; the tree must have the forks of it and, when it is one, those of its source.

        A fork stands in the group that it came to be in; an original, which may be the source of several groups, in
        that of its newest fork (docs/decisions/0010-a-fork-keeps-its-place.md).
        """
        forks = self._forks.get(branch.scope.branch_id, [])
        if branch.forked_from is not None:
            group = self._group(branch)
        else:
            group = self._group(forks[-1]) if forks else {branch.scope.branch_id: 0}
        children = tuple(fork.scope.branch_id for fork in forks)
        return TreePlace(group[branch.scope.branch_id], tuple(group), children)

    def _group(self, fork: Branch) -> dict[BranchId, int]:
        """Return the places in a fork's group, where it has one from now on: it may be deleted since it was read."""
        source = fork.ancestors[-1]
        group = self._groups.setdefault((source, fork.forked_at_message_id), {source: 0})
        group.setdefault(fork.scope.branch_id, len(group))
        return group


def with_descendants(branch: Branch, branches: Sequence[Branch]) -> list[Branch]:
    """Return a branch and all that stems from it, out of the session's branches."""
    return [branch, *(other for other in branches if branch.scope.branch_id in other.ancestors)]


def depths(ancestors: Sequence[BranchId]) -> dict[str, BranchId]:
    """Return ancestors as the wire has them: by depth, from `"0"`."""
    return {str(depth): ancestor for depth, ancestor in enumerate(ancestors)}
