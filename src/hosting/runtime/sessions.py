"""Sessions and branches come to be."""

from collections.abc import Mapping
from typing import Any

from events.ids import MAIN_BRANCH, SessionId
from events.serializer import Stamp
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchExists, SessionExists, SessionMissing
from hosting.domain.keyed_errors import RequestRepeated
from hosting.domain.scope import BranchScope, TenantId
from hosting.domain.session import Session
from hosting.ports.units import AddBranch, AddSession, GuardedChange, Record, Refusal, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.keyed import Keyed
from hosting.runtime.new_branch import NewBranch, branch_created, new_branch


async def create_session(
    runtime: Runtime,
    tenant: TenantId,
    session_id: SessionId | None,
    metadata: Mapping[str, Any],
    keyed: Keyed[Session] | None = None,
) -> Session:
    """Create a session with its branch `main`.

    Raises:
        SessionExists: the id is taken.
        RequestRepeated: it was created before, by a request with the same key.
        StorageUnavailable: nothing was stored.
    """
    now = runtime.clock()
    session = Session(tenant, session_id or runtime.ids.session(), now, now, metadata)
    scope = BranchScope(tenant, session.id, MAIN_BRANCH)
    record = None if keyed is None else keyed.record(lambda before: session)
    added = await _add(runtime, scope, NewBranch(name=MAIN_BRANCH), AddSession(session), record=record)
    if isinstance(added, Refusal):
        raise RequestRepeated if added is Refusal.REQUEST_REPEATED else SessionExists(session.id)
    return session


async def create_branch(runtime: Runtime, session: Session, new: NewBranch) -> Branch:
    """Create a branch beside the session's others.

    Raises:
        BranchExists: the id is taken.
        SessionMissing: the session is gone.
        StorageUnavailable: nothing was stored.
    """
    branch_id = new.branch_id or runtime.ids.branch()
    branch = await _add(runtime, BranchScope(session.tenant, session.id, branch_id), new)
    if branch is Refusal.SESSION_MISSING:
        raise SessionMissing(session.id)
    if isinstance(branch, Refusal):
        raise BranchExists(session.id, branch_id)
    return branch


async def _add(
    runtime: Runtime, scope: BranchScope, new: NewBranch, *before: GuardedChange, record: Record | None = None
) -> Branch | Refusal:
    branch = new_branch(runtime, scope, new)
    stamp = Stamp(scope.session_id, scope.branch_id).at(branch.created_at)
    unit = Unit(scope.tenant, branch.key, changes=[*before, AddBranch(branch)], record=record)
    unit.events.append(runtime.serializer.encode(branch_created(branch), stamp))
    outcome = await runtime.writer.append_to(unit)
    return outcome if isinstance(outcome, Refusal) else branch
