"""What layers keep with a session or a branch."""

from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, select

from hosting.adapters.sql.dialect import upsert
from hosting.adapters.sql.tables import branch_state, session_state
from hosting.ports.units import KeepState, Unit

_NAMES: BindParameter[Any] = bindparam("names", expanding=True)
OF_SESSION = select(session_state.c.name, session_state.c.value).where(
    session_state.c.tenant == bindparam("owner"),
    session_state.c.session_id == bindparam("session"),
    session_state.c.name.in_(_NAMES),
)
OF_BRANCH = select(branch_state.c.name, branch_state.c.value).where(
    branch_state.c.branch_key == bindparam("branch"), branch_state.c.name.in_(_NAMES)
)


def keep_state(connection: Connection, unit: Unit, change: KeepState) -> None:
    """Write or forget one value."""
    table = branch_state if change.of_branch else session_state
    place: dict[str, Any] = {"tenant": unit.tenant, "name": change.name}
    if change.of_branch:
        place["branch_key"] = unit.branch_key
    else:
        place["session_id"] = change.scope.session_id
    if change.value is None:
        connection.execute(delete(table).where(*(table.c[column] == value for column, value in place.items())))
        return
    written = upsert(connection.dialect, table).values(value=change.value, **place)
    connection.execute(
        written.on_conflict_do_update(index_elements=list(table.primary_key), set_={"value": written.excluded.value})
    )
