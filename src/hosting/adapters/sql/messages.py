"""A user's messages come to be, and with them a branch and a session are touched."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, update

from hosting.adapters.sql.contents import encode_contents
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.tables import branches, messages, sessions
from hosting.adapters.sql.times import to_ticks
from hosting.domain.message import Message, first_user_text
from hosting.domain.run import Run
from hosting.domain.scope import BranchKey, TenantId

_LONGEST_TITLE: Final = 200
_MESSAGES_AT_ONCE: Final = 500

_TOUCH_BRANCH = (
    update(branches)
    .where(branches.c.key == bindparam("branch"))
    .values(
        last_activity=bindparam("now"),
        first_user_text=func.coalesce(branches.c.first_user_text, bindparam("title")),
    )
)
TOUCH_SESSION = (
    update(sessions)
    .where(sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session"))
    .values(last_activity=bindparam("now"))
)


def add_messages(connection: Connection, tenant: TenantId, branch: BranchKey, added: Sequence[Message]) -> bool:
    """Add whole messages in their order; False when an id is taken, and then not all of them are there."""
    insert = insert_if_absent(connection.dialect.name, messages)
    rows = [message_row(tenant, branch, message) for message in added]
    if len(rows) == 1:
        return connection.execute(insert, rows[0]).rowcount > 0
    # Thousands one by one would take longer than PostgreSQL gives to a transaction.
    parts = (rows[start : start + _MESSAGES_AT_ONCE] for start in range(0, len(rows), _MESSAGES_AT_ONCE))
    return sum(connection.execute(insert.values(part)).rowcount for part in parts) == len(rows)


def message_row(tenant: TenantId, branch: BranchKey, message: Message) -> dict[str, object]:
    """Return the row of a whole message."""
    return {
        "tenant": tenant,
        "branch_key": branch,
        "id": message.id,
        "run_id": message.run_id,
        "role": message.role,
        "state": message.state,
        "contents": encode_contents(message.contents),
    }


def title(text: str) -> str:
    """Return what a branch without a name is called that begins with this message."""
    return text[:_LONGEST_TITLE]


class Said(NamedTuple):
    """What was said to begin a run; the last message is a user's."""

    run: Run
    at: datetime
    messages: Sequence[Message]


def touch(connection: Connection, said: Sequence[Said]) -> None:
    """Note that branches and then their sessions were active, and what a user said first on each."""
    connection.execute(_TOUCH_BRANCH, [_touched_branch(each) for each in said])
    connection.execute(TOUCH_SESSION, [_touched_session(each) for each in said])


def _touched_branch(said: Said) -> dict[str, object]:
    text = first_user_text(said.messages)
    return {"branch": said.run.branch_key, "now": to_ticks(said.at), "title": None if text is None else title(text)}


def _touched_session(said: Said) -> dict[str, object]:
    scope = said.run.scope
    return {"owner": scope.tenant, "session": scope.session_id, "now": to_ticks(said.at)}
