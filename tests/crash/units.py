"""Units of work that tests write straight into a store."""

from events.branches import BranchCreated
from events.catalog import Catalog
from events.ids import MAIN_BRANCH, IdSource, SessionId
from events.serializer import Serializer, Stamp
from hosting.domain.branch import Branch
from hosting.domain.scope import LOCAL_TENANT, BranchKey, BranchScope
from hosting.domain.session import Session
from hosting.ports.clock import system_clock
from hosting.ports.units import AddBranch, AddSession, Unit


def new_session(session_id: str) -> Unit:
    """Return the unit that creates a session and its branch `main`."""
    ids, now = IdSource(), system_clock()
    scope = BranchScope(LOCAL_TENANT, SessionId(session_id), MAIN_BRANCH)
    branch = Branch(BranchKey(ids.row_key()), scope, ids.epoch(), 1, now, now)
    session = Session(LOCAL_TENANT, scope.session_id, now, now)
    stamp = Stamp(scope.session_id, scope.branch_id).at(now)
    created = Serializer(Catalog.standard()).encode(BranchCreated(created_at=now), stamp)
    return Unit(LOCAL_TENANT, branch.key, changes=[AddSession(session), AddBranch(branch)], events=[created])
