"""Sessions and branches come to be, branches also as copies of others."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from events.position import Position
from events.serializer import Encoded, number
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.messages import TOUCH_SESSION, message_row, title
from hosting.adapters.sql.ranges import range_rows
from hosting.adapters.sql.rows import to_branch
from hosting.adapters.sql.tables import branch_state, branches, events, messages, sessions
from hosting.adapters.sql.times import to_ticks
from hosting.adapters.sql.tree import relatives_of
from hosting.domain.branch import Branch
from hosting.ports.units import AddBranch, AddFork, AddSession, Refusal, Unit

_SOURCE = select(branches).where(branches.c.key == bindparam("source")).with_for_update()
_TOUCH_SOURCE = update(branches).where(branches.c.key == bindparam("source")).values(last_activity=bindparam("now"))
_COPY_STATE = insert(branch_state).from_select(
    ["branch_key", "tenant", "name", "value"],
    select(
        bindparam("fork", type_=branch_state.c.branch_key.type),
        branch_state.c.tenant,
        branch_state.c.name,
        branch_state.c.value,
    ).where(branch_state.c.branch_key == bindparam("source")),
)


def add_session(connection: Connection, unit: Unit, change: AddSession) -> Refusal | Sequence[Encoded]:
    """Add a session, unless its id is taken."""
    session = change.session
    row = {
        "tenant": session.tenant,
        "id": session.id,
        "created_at": to_ticks(session.created_at),
        "last_activity": to_ticks(session.last_activity),
        "metadata": msgspec.json.encode(session.metadata),
    }
    added = connection.execute(insert_if_absent(connection.dialect.name, sessions), row).rowcount
    return () if added else Refusal.SESSION_EXISTS


def add_branch(connection: Connection, unit: Unit, change: AddBranch) -> Refusal | Sequence[Encoded]:
    """Add a branch without a log, unless its id is taken."""
    return () if _insert_branch(connection, change.branch, next_seq=1) else Refusal.BRANCH_EXISTS


def add_fork(connection: Connection, unit: Unit, change: AddFork) -> Refusal | Sequence[Encoded]:
    """Add a copy with its whole log; nobody can follow it before this is committed."""
    fork, tenant = change.branch, unit.tenant
    # Locked first: forks of one branch come to be one after the other, and each is told of with all those before it.
    source = connection.execute(_SOURCE, {"source": unit.branch_key}).one_or_none()
    if source is None:
        return Refusal.BRANCH_MISSING
    lines = number(change.log, Position(fork.epoch, 1))
    if not _insert_branch(connection, fork, next_seq=1 + len(lines)):
        return Refusal.BRANCH_EXISTS
    connection.execute(insert(events), list(range_rows(tenant, fork.key, None, 1, lines)))
    connection.execute(insert(messages), [message_row(tenant, fork.key, message) for message in change.messages])
    connection.execute(_COPY_STATE, {"fork": fork.key, "source": unit.branch_key})
    now = to_ticks(fork.created_at)
    connection.execute(_TOUCH_SOURCE, {"source": unit.branch_key, "now": now})
    connection.execute(TOUCH_SESSION, {"owner": tenant, "session": fork.scope.session_id, "now": now})
    origin = to_branch(source)
    return change.tell(origin, relatives_of(connection, origin))


def _insert_branch(connection: Connection, branch: Branch, *, next_seq: int) -> bool:
    row = {
        "key": branch.key,
        "tenant": branch.scope.tenant,
        "session_id": branch.scope.session_id,
        "id": branch.scope.branch_id,
        "epoch": branch.epoch,
        "fence": 0,
        "created_at": to_ticks(branch.created_at),
        "last_activity": to_ticks(branch.last_activity),
        "name": branch.name,
        "description": branch.description,
        "tags": None if branch.tags is None else msgspec.json.encode(branch.tags),
        "metadata": None if branch.metadata is None else msgspec.json.encode(branch.metadata),
        "message_count": branch.message_count,
        "forked_from": branch.forked_from,
        "forked_at_message_id": branch.forked_at_message_id,
        "forked_at_message_index": branch.forked_at_message_index,
        "ancestors": msgspec.json.encode(branch.ancestors) if branch.ancestors else None,
        "next_seq": next_seq,
        "fold_due": next_seq - 1,
        "first_user_text": None if branch.first_user_text is None else title(branch.first_user_text),
    }
    return connection.execute(insert_if_absent(connection.dialect.name, branches), row).rowcount > 0
