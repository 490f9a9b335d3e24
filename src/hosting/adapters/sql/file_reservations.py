"""Reserved files on SQL; every comparison of times happens on the database's clock."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select

from hosting.adapters.sql.dialect import database_now, upsert
from hosting.adapters.sql.fleet_tables import file_reservations as files
from hosting.adapters.sql.fleet_tables import work_items
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.times import from_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.work_claims import in_states
from hosting.domain.scope import TenantId
from hosting.domain.work_item import HELD, WorkItem, WorkItemId
from hosting.ports.file_reservations import Reservation

_WORKED_ON: Final = exists().where(work_items.c.id == files.c.item_id, in_states(*HELD))


class SqlFileReservations:
    """See the door, FileReservations."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def reserve(
        self, item: WorkItem, paths: Collection[str], reason: str | None, seconds: float
    ) -> list[Reservation]:
        """See FileReservations.reserve."""
        # In one order: two items that reserve the same files must not wait for each other.
        wanted = sorted(set(paths))
        if not wanted:
            return []
        return await self._transactor.run(lambda connection: _reserve(connection, item, wanted, reason, seconds))

    async def conflicts(self, item: WorkItem, paths: Collection[str]) -> list[Reservation]:
        """See FileReservations.conflicts."""
        return [_to_reservation(row) for row in await rows(self._reading, _others(item, paths))]

    async def release(self, tenant: TenantId, item_id: WorkItemId, paths: Collection[str] | None) -> int:
        """See FileReservations.release."""
        mine = [files.c.tenant == tenant, files.c.item_id == item_id]
        if paths is not None:
            mine.append(files.c.path.in_(paths))
        given_up = delete(files).where(*mine)
        return await self._transactor.run(lambda connection: connection.execute(given_up).rowcount)


def _reserve(
    connection: Connection, item: WorkItem, paths: list[str], reason: str | None, seconds: float
) -> list[Reservation]:
    gone = or_(files.c.expires_at <= database_now(), ~_WORKED_ON)
    connection.execute(delete(files).where(_near(item), gone))
    now = float(connection.scalar(select(database_now())) or 0.0)
    written = upsert(connection.dialect, files).values(
        [
            {
                "tenant": item.scope.tenant,
                "repository": _repository(item),
                "path": path,
                "item_id": item.id,
                "reason": reason,
                "reserved_at": int(now * 1_000_000),
                "expires_at": now + seconds,
            }
            for path in paths
        ]
    )
    mine = written.on_conflict_do_update(
        index_elements=[files.c.tenant, files.c.repository, files.c.path],
        set_={"reason": written.excluded.reason, "expires_at": written.excluded.expires_at},
        where=files.c.item_id == written.excluded.item_id,
    )
    reserved = set(connection.scalars(mine.returning(files.c.path)))
    refused = [path for path in paths if path not in reserved]
    return [_to_reservation(row) for row in connection.execute(_others(item, refused))] if refused else []


def _others(item: WorkItem, paths: Collection[str]) -> Any:
    theirs = and_(files.c.path.in_(paths), files.c.item_id != item.id, files.c.expires_at > database_now(), _WORKED_ON)
    return select(files.c.path, files.c.item_id, files.c.reserved_at).where(_near(item), theirs).order_by(files.c.path)


def _near(item: WorkItem) -> ColumnElement[bool]:
    return and_(files.c.tenant == item.scope.tenant, files.c.repository == _repository(item))


def _repository(item: WorkItem) -> str:
    """Return where a path names a file: in the item's project, or anywhere in its tenant."""
    return item.terms.project or ""


def _to_reservation(row: Any) -> Reservation:
    return Reservation(row.path, row.item_id, from_ticks(row.reserved_at))
