"""Messages give way to one that stands for them, in its place among the others."""

from functools import cache
from typing import Final

import msgspec
from sqlalchemy import Connection, String, bindparam, cast, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import Update

from hosting.adapters.sql.contents import encode_contents
from hosting.adapters.sql.dialect import POSTGRESQL
from hosting.adapters.sql.messages import message_row
from hosting.adapters.sql.tables import messages
from hosting.domain.message import Message, MessageState
from hosting.ports.history import CompactHistory
from hosting.ports.units import Unit

_NOTHING: Final = encode_contents(())
_AT_FIRST: Final = (messages.c.branch_key == bindparam("branch"), messages.c.id == bindparam("first"))
_ROLE: Final = select(messages.c.role).where(*_AT_FIRST)
_STAND_IN: Final = (
    update(messages)
    .where(*_AT_FIRST)
    .values(
        id=bindparam("new_id"),
        run_id=bindparam("run"),
        role=bindparam("new_role"),
        state=MessageState.COMPLETE,
        contents=bindparam("new_contents"),
    )
)


def compact_history(connection: Connection, unit: Unit, change: CompactHistory) -> None:
    """Let messages give way.

    Their ids stay taken: a message that a client names so again would have two beginnings in the log.
    """
    if not change.removed:
        return
    dialect = connection.dialect.name
    given = {"branch": unit.branch_key, "ids": msgspec.json.encode(change.removed).decode()}
    connection.execute(_remove(dialect), given)
    if change.by is not None:
        _stand_in(connection, unit, change, change.by)


def _stand_in(connection: Connection, unit: Unit, change: CompactHistory, by: Message) -> None:
    first = change.removed[0]
    place = {"branch": unit.branch_key, "first": first}
    role = connection.scalar(_ROLE, place)
    new = {"new_id": by.id, "run": by.run_id, "new_role": by.role, "new_contents": encode_contents(by.contents)}
    # The row keeps its number, and so the summary has the place of the first; that one's id moves to a row of its own.
    connection.execute(_STAND_IN, {**place, **new})
    gone = {**message_row(unit.tenant, unit.branch_key, by), "id": first, "run_id": None, "role": role}
    connection.execute(insert(messages), {**gone, "state": MessageState.COMPACTED, "contents": _NOTHING})


@cache
def _remove(dialect: str) -> Update:
    ids = bindparam("ids", type_=String)
    if dialect == POSTGRESQL:
        each = func.jsonb_array_elements_text(cast(ids, postgresql.JSONB)).table_valued("value")
    else:
        each = func.json_each(ids).table_valued("value")
    return (
        update(messages)
        .where(messages.c.branch_key == bindparam("branch"), messages.c.id.in_(select(each.c.value)))
        .values(state=MessageState.COMPACTED, contents=_NOTHING)
    )
