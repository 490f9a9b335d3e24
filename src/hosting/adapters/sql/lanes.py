"""The lanes on SQL; every comparison of times happens on the database's clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from hosting.adapters.sql.dialect import database_now
from hosting.adapters.sql.fleet_tables import lane_items
from hosting.adapters.sql.keyed_requests import keep_answer
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.work_claims import LOCK_WORKER
from hosting.domain.keyed_request import AnsweredRequest
from hosting.domain.lane_item import Lane, LaneItem
from hosting.domain.scope import TenantId
from hosting.domain.worker import Worker

_OPEN: Final = lane_items.c.completed_at.is_(None)
_FREE: Final = or_(lane_items.c.expires_at.is_(None), lane_items.c.expires_at <= database_now())
_NOW: Final = select(database_now())
_KEPT: Final = timedelta(days=30)
# A few of the oldest at a time, however many there are.
_OLDEST: Final = (
    select(lane_items.c.number, lane_items.c.completed_at).order_by(lane_items.c.number).limit(100).subquery()
)
_FORGET: Final = delete(lane_items).where(
    lane_items.c.number.in_(select(_OLDEST.c.number).where(_OLDEST.c.completed_at < bindparam("before")))
)
_GIVE: Final = (
    update(lane_items)
    .where(lane_items.c.id == bindparam("item"))
    .values(
        worker_id=bindparam("worker"),
        expires_at=bindparam("until"),
        attempts=lane_items.c.attempts + 1,
        auth_hash=bindparam("key"),
        completed_at=bindparam("ended"),
    )
)


class SqlLanes:
    """See the door, Lanes."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def add(self, item: LaneItem, answered: AnsweredRequest | None = None) -> None:
        """See Lanes.add."""
        row = {
            "id": item.id,
            "tenant": item.tenant,
            "lane": item.lane,
            "project": item.project,
            "payload": msgspec.json.encode(item.payload),
            "queued_at": to_ticks(item.queued_at),
            "attempts": 0,
        }

        def work(connection: Connection) -> None:
            keep_answer(connection, answered)
            connection.execute(_FORGET, {"before": to_ticks(item.queued_at - _KEPT)})
            connection.execute(insert(lane_items), row)

        await self._transactor.run(work)

    async def claim(
        self, worker: Worker, lane: Lane, keys: Sequence[str], *, seconds: float, attempts: int
    ) -> list[LaneItem]:
        """See Lanes.claim."""
        if not await self._is_waiting(worker, lane):
            # Looked at without a lock: nearly every poll finds nothing here.
            return []

        def work(connection: Connection) -> list[LaneItem]:
            return _claim(connection, worker, lane, keys, seconds=seconds, attempts=attempts)

        return await self._transactor.run(work)

    async def opened_by(self, lane: Lane, key: str) -> LaneItem | None:
        """See Lanes.opened_by."""
        wanted = select(lane_items).where(lane_items.c.auth_hash == key, lane_items.c.lane == lane)
        return next(map(_to_item, await rows(self._reading, wanted)), None)

    async def complete(self, item: LaneItem, key: str, result: bytes, at: datetime) -> bool:
        """See Lanes.complete."""
        done = (
            update(lane_items)
            .where(lane_items.c.id == item.id, lane_items.c.auth_hash == key, _OPEN)
            .values(result=result, completed_at=to_ticks(at))
        )
        return await self._transactor.run(lambda connection: bool(connection.execute(done).rowcount))

    async def listed(self, tenant: TenantId, lane: Lane, limit: int) -> list[LaneItem]:
        """See Lanes.listed."""
        of_lane = select(lane_items).where(lane_items.c.tenant == tenant, lane_items.c.lane == lane)
        newest = of_lane.order_by(lane_items.c.number.desc()).limit(limit)
        return [_to_item(row) for row in await rows(self._reading, newest)]

    async def _is_waiting(self, worker: Worker, lane: Lane) -> bool:
        return bool(await rows(self._reading, _wanted(worker, lane).limit(1)))


def _wanted(worker: Worker, lane: Lane) -> Any:
    c = lane_items.c
    allowed = [c.tenant == worker.tenant, c.lane == lane, _OPEN, _FREE]
    if worker.admitted:
        allowed.append(or_(c.project.is_(None), c.project.in_(sorted(worker.admitted))))
    return select(lane_items).where(*allowed).order_by(c.number)


def _claim(
    connection: Connection, worker: Worker, lane: Lane, keys: Sequence[str], *, seconds: float, attempts: int
) -> list[LaneItem]:
    if connection.scalar(LOCK_WORKER, {"worker": worker.id}) is None:
        # It has just gone, and would never do what it got now.
        return []
    c, now = lane_items.c, connection.scalar(_NOW) or 0.0
    given_up = update(lane_items).where(c.tenant == worker.tenant, c.lane == lane, _OPEN, _FREE, c.attempts >= attempts)
    connection.execute(given_up.values(completed_at=int(now * 1_000_000)))
    has = select(func.count()).where(c.tenant == worker.tenant, c.lane == lane, _OPEN, c.worker_id == worker.id, ~_FREE)
    room = min(len(keys), lane.most_held - (connection.scalar(has) or 0))
    if room <= 0:
        return []
    found = connection.execute(_wanted(worker, lane).limit(room).with_for_update(skip_locked=True)).all()
    ended = None if lane.has_result else int(now * 1_000_000)
    given = [
        {"item": row.id, "worker": worker.id, "until": now + seconds, "key": key, "ended": ended}
        for row, key in zip(found, keys, strict=False)
    ]
    if given:
        connection.execute(_GIVE, given)
    return [replace(_to_item(row), worker_id=worker.id, attempts=row.attempts + 1) for row in found]


def _to_item(row: Any) -> LaneItem:
    return LaneItem(
        id=row.id,
        tenant=row.tenant,
        lane=Lane(row.lane),
        payload=msgspec.json.decode(row.payload),
        queued_at=from_ticks(row.queued_at),
        project=row.project,
        worker_id=row.worker_id,
        attempts=row.attempts,
        result=row.result,
        completed_at=None if row.completed_at is None else from_ticks(row.completed_at),
    )
