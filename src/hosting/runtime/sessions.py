"""Sessions and branches come to be."""

from collections.abc import Mapping
from typing import Any

from events.ids import MAIN_BRANCH, SessionId
from events.serializer import Stamp
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchExists, SessionExists, SessionMissing
from hosting.domain.keyed_errors import RequestRepeated
from hosting.domain.keyed_request import Record
from hosting.domain.scope import BranchScope, TenantId
from hosting.domain.session import Session
from hosting.ports.units import AddBranch, AddSession, GuardedChange, Refusal, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.keyed import Keyed, record_of
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
    main = new_branch(runtime, scope, NewBranch(name=MAIN_BRANCH))
    record = record_of(keyed, lambda before: session)
    refusal = await _add(runtime, main, AddSession(session), record=record)
    if refusal is not None:
        raise RequestRepeated if refusal is Refusal.REQUEST_REPEATED else SessionExists(session.id)
    return session


async def create_branch(
    runtime: Runtime, session: Session, new: NewBranch, keyed: Keyed[Branch] | None = None
) -> Branch:
    """Create a branch beside the session's others.

    Raises:
        BranchExists: the id is taken.
        SessionMissing: the session is gone.
        RequestRepeated: it was created before, by a request with the same key.
        StorageUnavailable: nothing was stored.
    """
    branch_id = new.branch_id or runtime.ids.branch()
    branch = new_branch(runtime, BranchScope(session.tenant, session.id, branch_id), new)
    refusal = await _add(runtime, branch, record=record_of(keyed, lambda before: branch))
    if refusal is Refusal.REQUEST_REPEATED:
        raise RequestRepeated
    if refusal is Refusal.SESSION_MISSING:
        raise SessionMissing(session.id)
    if refusal is not None:
        raise BranchExists(session.id, branch_id)
    return branch


async def _add(runtime: Runtime, branch: Branch, *before: GuardedChange, record: Record | None) -> Refusal | None:
    scope = branch.scope
    stamp = Stamp(scope.session_id, scope.branch_id).at(branch.created_at)
    unit = Unit(scope.tenant, branch.key, changes=[*before, AddBranch(branch)], record=record)
    unit.events.append(runtime.serializer.encode(branch_created(branch), stamp))
    outcome = await runtime.writer.append_to(unit)
    return outcome if isinstance(outcome, Refusal) else None
