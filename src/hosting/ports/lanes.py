"""The door to the lanes: work beside the runs, outside of all capacity."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from hosting.domain.keyed_request import AnsweredRequest
from hosting.domain.lane_item import Lane, LaneItem
from hosting.domain.scope import TenantId
from hosting.domain.worker import Worker


class Lanes(Protocol):
    """Items of lanes, first in first out; who has one has it until a lease runs out, on the database's clock.

    Raises:
        StorageUnavailable: nothing was changed, or that is not known.
    """

    async def add(self, item: LaneItem, answered: AnsweredRequest | None = None) -> None:
        """Put an item in, with the answer to the request for it; some that ended thirty days ago are forgotten.

        Raises:
            RequestRepeated: that was answered before; nothing was put in.
        """
        ...

    async def claim(
        self, worker: Worker, lane: Lane, keys: Sequence[str], *, seconds: float, attempts: int
    ) -> list[LaneItem]:
        """Give a worker the first items of a lane, at most one a key: a hash of what opens the item's result.

        What was handed out so many times in vain is given up. Keys that are not needed go unused.
        """
        ...

    async def opened_by(self, lane: Lane, key: str) -> LaneItem | None:
        """Return the item whose result is opened by what has this hash: the last time that it was handed out."""
        ...

    async def complete(self, item: LaneItem, key: str, result: bytes, at: datetime) -> bool:
        """Note what came of an item; False when that is noted already, or it was handed out again."""
        ...

    async def listed(self, tenant: TenantId, lane: Lane, limit: int) -> list[LaneItem]:
        """Return a lane's items, the last one first."""
        ...
