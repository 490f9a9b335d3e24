"""The lanes: work that belongs to no run is put in by operators, and handed to workers that can do it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from hosting.domain.errors import StorageUnavailable
from hosting.domain.lane_item import Lane, LaneItem, LaneItemId
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret
from hosting.domain.worker import Worker
from hosting.runtime.keyed import Keyed
from hosting.services.fleet.core import Fleet


@dataclass(frozen=True, slots=True)
class LaneClaim:
    """An item that a worker has, and what opens its result: a secret that is told this once."""

    item: LaneItem
    secret: Secret


class ResultOutcome(Enum):
    """What became of a result."""

    TAKEN = auto()
    REPEATED = auto()
    """It is known already; nothing has changed."""
    OF_ANOTHER = auto()
    """It is of another item than the one that it was sent for."""
    UNKNOWN = auto()
    """Nobody has it to do, or not any more."""


async def add_to_lane(
    fleet: Fleet, tenant: TenantId, lane: Lane, payload: Mapping[str, Any], keyed: Keyed[LaneItem] | None = None
) -> LaneItem:
    """Put an item into a lane.

    Raises:
        RequestRepeated: it was put in before, by a request with the same key.
        StorageUnavailable: it is not there, or that is not known.
    """
    item = LaneItem(
        id=LaneItemId(fleet.runtime.ids.lane_item()),
        tenant=tenant,
        lane=lane,
        payload=dict(payload),
        queued_at=fleet.runtime.clock(),
        project=payload.get("projectId"),
    )
    await fleet.lanes.add(item, None if keyed is None else keyed.answered(item))
    return item


async def poll_lanes(fleet: Fleet, worker: Worker) -> dict[Lane, list[LaneClaim]]:
    """Hand a worker what it can do of each lane that it can do something of.

    Where the store is away from some lane on, it is what the lanes before have: some of it is handed out for good.

    Raises:
        StorageUnavailable: nothing is handed out, or that is not known.
    """
    claims: dict[Lane, list[LaneClaim]] = {}
    open_to = [] if worker.is_drained else [lane for lane in Lane if lane.is_for(worker.capabilities)]
    for lane in open_to:
        try:
            claims[lane] = await _claim(fleet, worker, lane)
        except StorageUnavailable:
            if not any(claims.values()):
                raise
            break
    return claims


async def take_result(fleet: Fleet, lane: Lane, secret: Secret, result_id: str | None, result: bytes) -> ResultOutcome:
    """Take what came of an item from whoever shows its secret; said again, it changes nothing.

    Raises:
        StorageUnavailable: it is not taken, or that is not known.
    """
    key = _hashed(secret)
    item = await fleet.lanes.opened_by(lane, key)
    if item is None:
        return ResultOutcome.UNKNOWN
    if item.result_id is not None and item.result_id != result_id:
        return ResultOutcome.OF_ANOTHER
    if item.completed_at is not None:
        return ResultOutcome.REPEATED if item.result is not None else ResultOutcome.UNKNOWN
    if await fleet.lanes.complete(item, key, result, fleet.runtime.clock()):
        return ResultOutcome.TAKEN
    # Between the two looks it was done, or handed to somebody else.
    return ResultOutcome.REPEATED if await fleet.lanes.opened_by(lane, key) else ResultOutcome.UNKNOWN


async def _claim(fleet: Fleet, worker: Worker, lane: Lane) -> list[LaneClaim]:
    secrets = [Secret(fleet.runtime.ids.result_key()) for _ in range(lane.most_held)]
    keys = [_hashed(secret) for secret in secrets]
    items = await fleet.lanes.claim(worker, lane, keys, seconds=fleet.lane_seconds, attempts=fleet.attempts)
    return [LaneClaim(item, secret) for item, secret in zip(items, secrets, strict=False)]


def _hashed(secret: Secret) -> str:
    return hashlib.sha256(secret.reveal().encode()).hexdigest()
