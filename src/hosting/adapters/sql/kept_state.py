"""What layers keep with a session or a branch."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, Executable, bindparam, delete, select

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


def keep_states(connection: Connection, kept: Iterable[tuple[Unit, KeepState]]) -> None:
    """Write or forget values, many in one statement; what is changed twice becomes what it was changed to last."""
    values: dict[bool, dict[tuple[Any, ...], bytes | None]] = {True: {}, False: {}}
    for unit, change in kept:
        of = unit.branch_key if change.of_branch else change.scope.session_id
        values[change.of_branch][unit.tenant, of, change.name] = change.value
    for of_branch, found in values.items():
        keep, forget = _statements(connection.dialect, of_branch=of_branch)
        rows = [{"owner": owner, "of": of, "named": name, "kept": value} for (owner, of, name), value in found.items()]
        if written := [row for row in rows if row["kept"] is not None]:
            connection.execute(keep, written)
        if forgotten := [row for row in rows if row["kept"] is None]:
            connection.execute(forget, forgotten)


@lru_cache(maxsize=16)
def _statements(dialect: Dialect, *, of_branch: bool) -> tuple[Executable, Executable]:
    """Return what writes values and what forgets them; building the first takes longer than running it."""
    table = branch_state if of_branch else session_state
    of = table.c.branch_key if of_branch else table.c.session_id
    place: dict[str, Any] = {"tenant": bindparam("owner"), of.name: bindparam("of"), "name": bindparam("named")}
    written = upsert(dialect, table).values(value=bindparam("kept"), **place)
    keep = written.on_conflict_do_update(index_elements=list(table.primary_key), set_={"value": written.excluded.value})
    return keep, delete(table).where(*(table.c[column] == value for column, value in place.items()))
