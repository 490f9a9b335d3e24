"""Rows of the log: one for each branch and flush, with a checksum over bytes and place."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zlib import crc32

from events.ids import RunId
from events.serializer import join, split
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey, TenantId
from hosting.ports.store import LogPage

_MOST_EVENTS: Final = 1_000
_MOST_BYTES: Final = 1 << 20


def range_rows(
    tenant: TenantId, branch: BranchKey, run_id: RunId | None, first: int, lines: Sequence[bytes]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of events that may be too many for one: a page of a log reads whole rows."""
    begin = size = 0
    for index, line in enumerate(lines):
        size += len(line)
        if index > begin and (size > _MOST_BYTES or index - begin == _MOST_EVENTS):
            yield range_row(tenant, branch, run_id, first + begin, lines[begin:index])
            begin, size = index, len(line)
    if begin < len(lines):
        yield range_row(tenant, branch, run_id, first + begin, lines[begin:])


def range_row(
    tenant: TenantId, branch: BranchKey, run_id: RunId | None, first: int, lines: Sequence[bytes]
) -> dict[str, Any]:
    """Return the row that holds these events."""
    frames = join(lines)
    last = first + len(lines) - 1
    return {
        "tenant": tenant,
        "branch_key": branch,
        "first_seq": first,
        "last_seq": last,
        "run_id": run_id,
        "frames": frames,
        "checksum": range_checksum(branch, first, last, frames),
    }


def read_range(row: Mapping[str, Any], after: int = 0, upto: int | None = None) -> LogPage:
    """Return a row's events with `after` < number <= `upto`.

    Raises:
        LogCorrupt: bytes, count or place do not fit the checksum.
    """
    branch, first, last, frames = row["branch_key"], row["first_seq"], row["last_seq"], row["frames"]
    lines = split(frames)
    if row["checksum"] != range_checksum(branch, first, last, frames) or len(lines) != last - first + 1:
        raise LogCorrupt(branch, first, last)
    skipped = max(0, after - first + 1)
    kept = len(lines) if upto is None else max(0, upto - first + 1)
    return LogPage(first + skipped, lines[skipped:kept])


def range_checksum(branch: int, first: int, last: int, frames: bytes) -> int:
    """Return the checksum of a row: over its bytes, and over where they belong."""
    return crc32(frames, crc32(b"%d:%d:%d" % (branch, first, last)))
