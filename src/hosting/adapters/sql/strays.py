"""Items that the fleet has to look after, found in one visit to the database: it is asked for them all the time."""

from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, literal_column, or_, select, union_all

from events.runs import RunStatus
from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import work_items, workers
from hosting.adapters.sql.tables import interrupts, leases, runs
from hosting.adapters.sql.work_claims import in_states
from hosting.adapters.sql.work_items import ITEMS, to_item
from hosting.domain.work_item import HELD, WorkState
from hosting.ports.work import Strays

_MOST: Final[BindParameter[int]] = bindparam("most")
# Said of a column of the index too, or SQLite would look at every item that there ever was.
_BY_HOLDER: Final = (in_states(*HELD), work_items.c.worker_id.is_not(None))
_LAPSED: Final = ITEMS.where(*_BY_HOLDER, or_(leases.c.expires_at <= database_now(), leases.c.run_id.is_(None))).limit(
    _MOST
)
_ORPHANED: Final = ITEMS.where(
    *_BY_HOLDER, ~select(workers.c.id).where(workers.c.id == work_items.c.worker_id).exists()
).limit(_MOST)
# Begun from the few that it can be: to look at every run that is active would take longer with each that waits.
_STOPPED: Final = select(interrupts.c.run_id).where(interrupts.c.flow == "")
_DEAD: Final = select(work_items.c.run_id).where(in_states(WorkState.DEAD), work_items.c.tenant.is_not(None))
_UNWANTED: Final = (
    ITEMS.join(runs, runs.c.id == work_items.c.run_id)
    .where(
        work_items.c.run_id.in_(union_all(_STOPPED, _DEAD)),
        runs.c.status == literal_column(f"'{RunStatus.ACTIVE}'"),
        or_(
            leases.c.run_id.is_(None),
            leases.c.node == work_items.c.worker_id,
            # The node that was ending it has died.
            leases.c.expires_at <= database_now(),
        ),
    )
    .order_by(work_items.c.number)
    .limit(_MOST)
)


def strays(connection: Connection, limit: int) -> Strays:
    """Return them, of each kind so many at most."""

    def found(statement: Any) -> list[Any]:
        return [to_item(row) for row in connection.execute(statement, {"most": limit})]

    return Strays(lapsed=found(_LAPSED), orphaned=found(_ORPHANED), unwanted=found(_UNWANTED))
