"""What a client says of a branch that is to be, and the branch that it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from events.branches import BranchCreated
from events.ids import BranchId
from hosting.domain.branch import Branch
from hosting.domain.scope import BranchKey, BranchScope
from hosting.runtime.core import Runtime


@dataclass(frozen=True, slots=True)
class NewBranch:
    """What a client says of a branch that is to be."""

    branch_id: BranchId | None = None
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] | None = None


def new_branch(runtime: Runtime, scope: BranchScope, new: NewBranch) -> Branch:
    """Return the branch, not stored yet, with BRANCH_CREATED as its only event."""
    now = runtime.clock()
    return Branch(
        key=BranchKey(runtime.ids.row_key()),
        scope=scope,
        epoch=runtime.ids.epoch(),
        head=1,
        created_at=now,
        last_activity=now,
        name=new.name,
        description=new.description,
        tags=new.tags,
        metadata=new.metadata,
    )


def branch_created(branch: Branch) -> BranchCreated:
    """Return the first event of a branch."""
    return BranchCreated(
        name=branch.name,
        description=branch.description,
        tags=branch.tags,
        branch_metadata=None if branch.metadata is None else dict(branch.metadata),
        created_at=branch.created_at,
    )
