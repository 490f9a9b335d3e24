"""What clients say of sessions and branches changes."""

from collections.abc import Mapping
from typing import Any

from events.branches import BranchMetadataUpdated
from events.serializer import Encoded, Stamp
from hosting.domain.branch import Branch, BranchPatch
from hosting.domain.errors import BranchMissing, SessionMissing
from hosting.ports.units import Committed, GuardedChange, PatchBranch, PatchSession, Unit
from hosting.runtime.core import Runtime

_NOTHING = BranchPatch()


async def patch_session(runtime: Runtime, main: Branch, metadata: Mapping[str, Any]) -> None:
    """Merge metadata into that of the session whose main branch this is; None removes a name.

    Raises:
        SessionMissing: it is gone.
        StorageUnavailable: nothing was stored.
    """
    session_id = main.scope.session_id
    if not await _is_written(runtime, main, PatchSession(session_id, metadata, runtime.clock())):
        raise SessionMissing(session_id)


async def patch_branch(runtime: Runtime, branch: Branch, given: BranchPatch) -> None:
    """Change what a client says of a branch; its log tells what has changed.

    Raises:
        BranchMissing: it is gone.
        StorageUnavailable: nothing was stored.
    """
    now = runtime.clock()
    stamp = Stamp(branch.scope.session_id, branch.scope.branch_id).at(now)

    def tell(patched: Branch) -> list[Encoded]:
        if given == _NOTHING:
            return []
        return [runtime.serializer.encode(_updated(patched, given), stamp)]

    if not await _is_written(runtime, branch, PatchBranch(given, now, tell)):
        raise BranchMissing(branch.scope.session_id, branch.scope.branch_id)


async def _is_written(runtime: Runtime, branch: Branch, change: GuardedChange) -> bool:
    outcome = await runtime.writer.append_to(Unit(branch.scope.tenant, branch.key, changes=[change]))
    return isinstance(outcome, Committed)


def _updated(patched: Branch, given: BranchPatch) -> BranchMetadataUpdated:
    return BranchMetadataUpdated(
        name=None if given.name is None else patched.name,
        description=None if given.description is None else patched.description,
        tags=None if given.tags is None else patched.tags,
        branch_metadata=None if given.metadata is None else dict(patched.metadata or {}),
    )
