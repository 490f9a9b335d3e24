"""Sessions and branches come to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from events.branches import BranchCreated
from events.ids import MAIN_BRANCH, BranchId, SessionId
from events.serializer import Stamp
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchExists, SessionExists
from hosting.domain.scope import BranchKey, BranchScope, TenantId
from hosting.domain.session import Session
from hosting.ports.units import AddBranch, AddSession, Committed, GuardedChange, Unit
from hosting.runtime.core import Runtime


@dataclass(frozen=True, slots=True)
class NewBranch:
    """What a client says of a branch that is to be."""

    branch_id: BranchId | None = None
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] | None = None


async def create_session(
    runtime: Runtime, tenant: TenantId, session_id: SessionId | None, metadata: Mapping[str, Any]
) -> Session:
    """Create a session with its branch `main`.

    Raises:
        SessionExists: the id is taken.
        StorageUnavailable: nothing was stored.
    """
    now = runtime.clock()
    session = Session(tenant, session_id or runtime.ids.session(), now, now, metadata)
    scope = BranchScope(tenant, session.id, MAIN_BRANCH)
    if await _add(runtime, scope, NewBranch(name=MAIN_BRANCH), AddSession(session)) is None:
        raise SessionExists(session.id)
    return session


async def create_branch(runtime: Runtime, session: Session, new: NewBranch) -> Branch:
    """Create a branch beside the session's others.

    Raises:
        BranchExists: the id is taken.
        StorageUnavailable: nothing was stored.
    """
    branch_id = new.branch_id or runtime.ids.branch()
    branch = await _add(runtime, BranchScope(session.tenant, session.id, branch_id), new)
    if branch is None:
        raise BranchExists(session.id, branch_id)
    return branch


async def _add(runtime: Runtime, scope: BranchScope, new: NewBranch, *before: GuardedChange) -> Branch | None:
    now = runtime.clock()
    branch = Branch(
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
    created = BranchCreated(
        name=new.name,
        description=new.description,
        tags=new.tags,
        branch_metadata=None if new.metadata is None else dict(new.metadata),
        created_at=now,
    )
    stamp = Stamp(scope.session_id, scope.branch_id).at(now)
    unit = Unit(scope.tenant, branch.key, changes=[*before, AddBranch(branch)])
    unit.events.append(runtime.serializer.encode(created, stamp))
    outcome = await runtime.writer.append_to(unit)
    return branch if isinstance(outcome, Committed) else None
