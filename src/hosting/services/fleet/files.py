"""Files that items keep for themselves while they are worked on."""

from collections.abc import Sequence
from dataclasses import dataclass

from hosting.domain.admission import NotTheOwner
from hosting.domain.work_errors import FileReserved, WorkEnded, WorkItemMissing
from hosting.domain.work_item import Holding, WorkItem
from hosting.ports.file_reservations import Reservation
from hosting.services.fleet.core import Fleet


@dataclass(frozen=True, slots=True)
class Reserved:
    """Which of the files an item has from now on, and who has the others."""

    paths: list[str]
    conflicts: list[Reservation]


async def reserve_files(
    fleet: Fleet, holding: Holding, paths: Sequence[str], reason: str | None, seconds: float
) -> Reserved:
    """Keep those of the files for an item that no other one has.

    Raises:
        WorkItemMissing, NotTheOwner, WorkEnded: it is no item of this worker's, or not any more.
        StorageUnavailable: none is kept, or that is not known.
    """
    item = await _held(fleet, holding)
    conflicts = await fleet.files.reserve(item, paths, reason, seconds)
    taken = {conflict.path for conflict in conflicts}
    return Reserved([path for path in dict.fromkeys(paths) if path not in taken], conflicts)


async def reserve_file(fleet: Fleet, holding: Holding, path: str, reason: str | None, seconds: float) -> Reserved:
    """Keep one file for an item; raises as `reserve_files` does.

    Raises:
        FileReserved: another item has it.
    """
    reserved = await reserve_files(fleet, holding, [path], reason, seconds)
    if reserved.conflicts:
        raise FileReserved(path, reserved.conflicts[0].item_id)
    return reserved


async def find_conflicts(fleet: Fleet, holding: Holding, paths: Sequence[str]) -> list[Reservation]:
    """Return which of the files other items have; raises as `reserve_files` does."""
    return await fleet.files.conflicts(await _held(fleet, holding), paths)


async def release_files(fleet: Fleet, holding: Holding, paths: Sequence[str] | None) -> int:
    """Give files up, or all that an item has, and return how many these were; raises as `reserve_files` does."""
    await _held(fleet, holding)
    return await fleet.files.release(holding.tenant, holding.item_id, paths)


async def _held(fleet: Fleet, holding: Holding) -> WorkItem:
    item = await fleet.work.item(holding.tenant, holding.item_id)
    if item is None:
        raise WorkItemMissing
    if item.worker_id != holding.worker_id:
        raise NotTheOwner
    if not item.state.is_held:
        raise WorkEnded(item.id, item.state)
    return item
