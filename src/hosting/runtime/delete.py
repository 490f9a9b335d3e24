"""Deleting branches and sessions, with all that belongs to them."""

from collections.abc import Collection, Sequence
from typing import Final

from events.ids import MAIN_BRANCH
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing, HasChildren, ProtectedBranch, RunActive, SessionMissing
from hosting.domain.session import Session
from hosting.domain.tree import Tree, with_descendants
from hosting.ports.units import Committed, Refusal, RemoveBranches, RemoveSession, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.quiet import quiet
from hosting.runtime.tree_events import telling_tree

_TRIES: Final = 5


async def delete_branch(runtime: Runtime, branch: Branch, *, recursive: bool, force: bool) -> None:
    """Delete a branch, with its forks if `recursive`; with `force` what runs there is interrupted first.

    The log of its source tells of it, and whoever follows what is deleted is sent away.

    Raises:
        ProtectedBranch: it is the one that every session has.
        HasChildren: it has forks, and is to be deleted alone; or it is forked all the time.
        RunActive: something runs or waits there.
        BranchMissing: it is gone.
        StorageUnavailable: nothing was deleted.
    """
    if branch.scope.branch_id == MAIN_BRANCH:
        raise ProtectedBranch(branch.scope.branch_id)
    reads = runtime.tenant(branch.scope.tenant)
    for _ in range(_TRIES):
        everyone = await reads.branches(branch.scope.session_id)
        doomed = _doomed(branch, everyone, recursive=recursive)
        if force:
            await quiet(runtime, doomed)
        outcome = await runtime.writer.append_to(_removal(runtime, branch, everyone, doomed))
        if isinstance(outcome, Committed):
            _tell_followers(runtime, doomed)
            return
        if outcome is Refusal.RUN_ACTIVE and not force:
            break
        # A fork, an input or another deletion came between the look and the unit.
    if outcome is Refusal.HAS_CHILDREN:
        raise HasChildren(branch.scope.branch_id, Tree(everyone).place_of(branch).children)
    raise await _busy(runtime, doomed)


async def delete_session(runtime: Runtime, session: Session, *, force: bool) -> None:
    """Delete a session with all its branches; with `force` what runs there is interrupted first.

    Raises:
        RunActive: something runs or waits there.
        SessionMissing: it is gone.
        StorageUnavailable: nothing was deleted.
    """
    for _ in range(_TRIES):
        doomed = await runtime.tenant(session.tenant).branches(session.id)
        if not doomed:
            raise SessionMissing(session.id)
        if force:
            await quiet(runtime, doomed)
        unit = Unit(session.tenant, doomed[0].key, changes=[RemoveSession(session.id)])
        outcome = await runtime.writer.append_to(unit)
        if isinstance(outcome, Committed):
            _tell_followers(runtime, doomed)
            return
        if outcome is Refusal.SESSION_MISSING:
            raise SessionMissing(session.id)
        if not force:
            break
    raise await _busy(runtime, doomed)


def _doomed(branch: Branch, everyone: Sequence[Branch], *, recursive: bool) -> list[Branch]:
    """Return what is deleted with a branch.

    Raises:
        BranchMissing, HasChildren: it cannot be.
    """
    doomed = with_descendants(branch, everyone)
    if branch.key not in {other.key for other in everyone}:
        raise BranchMissing(branch.scope.session_id, branch.scope.branch_id)
    if len(doomed) > 1 and not recursive:
        raise HasChildren(branch.scope.branch_id, Tree(everyone).place_of(branch).children)
    return doomed


def _removal(runtime: Runtime, branch: Branch, everyone: Sequence[Branch], doomed: Collection[Branch]) -> Unit:
    """Return the unit that deletes; it is its source's, whose log tells of it, or that of a branch that stays."""
    source = branch.forked_from or MAIN_BRANCH
    home = next(other for other in everyone if other.scope.branch_id == source)
    tell = None if branch.forked_from is None else telling_tree(runtime, runtime.clock())
    keys = tuple(other.key for other in doomed)
    return Unit(branch.scope.tenant, home.key, changes=[RemoveBranches(branch.scope.session_id, keys, tell)])


def _tell_followers(runtime: Runtime, deleted: Collection[Branch]) -> None:
    for branch in deleted:
        runtime.rings.deleted(branch.key)


async def _busy(runtime: Runtime, doomed: Sequence[Branch]) -> RunActive:
    for branch in doomed:
        if await runtime.tenant(branch.scope.tenant).active_run(branch.key) is not None:
            return RunActive(branch.scope.branch_id)
    return RunActive(doomed[0].scope.branch_id)
