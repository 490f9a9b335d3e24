"""The door to the files that work items keep for themselves, so that two of them do not change the same one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkItem, WorkItemId


@dataclass(frozen=True, slots=True)
class Reservation:
    """A file, and who has it."""

    path: str
    item_id: WorkItemId
    reserved_at: datetime


class FileReservations(Protocol):
    """Reservations hold among the items of one tenant and project, while their workers have them.

    One that has lapsed, on the database's clock, or whose item nobody works on, is none. Whatever changes something is
    durable when it returns.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def reserve(
        self, item: WorkItem, paths: Collection[str], reason: str | None, seconds: float
    ) -> list[Reservation]:
        """Keep files for an item, those that it has for longer; return who has the others."""
        ...

    async def conflicts(self, item: WorkItem, paths: Collection[str]) -> list[Reservation]:
        """Return which of the files other items have."""
        ...

    async def release(self, tenant: TenantId, item_id: WorkItemId, paths: Collection[str] | None) -> int:
        """Give an item's files up, or all of them, and return how many it had."""
        ...
