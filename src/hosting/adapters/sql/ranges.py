"""Rows of the log: one for each branch and flush, with a checksum over bytes and place."""

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from events.ids import RunId
from events.serializer import join, split
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey, TenantId
from hosting.ports.store import LogPage


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
