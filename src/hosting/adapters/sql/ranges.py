"""Rows of the log: one for each branch and flush, or folded out of many; each with a checksum over bytes and place."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from zlib import crc32

from sqlalchemy import RowMapping

from events.ids import RunId
from events.serializer import join, split
from hosting.domain.errors import LogCorrupt
from hosting.domain.scope import BranchKey, TenantId
from hosting.ports.store import LogPage

_MOST_EVENTS: Final = 1_000
_MOST_BYTES: Final = 1 << 20

PLAIN: Final = None
"""The packing of rows as they are written."""
ZLIB: Final = "zlib"
"""The packing of folded rows (RFC 1950)."""
_LEVEL: Final = 6
_CHECKED: Final = ("branch_key", "first_seq", "last_seq", "frames", "packing")


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


def folded_row(branch: int, first: int, last: int, frames: bytes) -> dict[str, Any]:
    """Return what a row has to say instead when it holds these frames of many rows, packed if that makes them smaller.

    Raises:
        LogCorrupt: what is packed would not come back as it was.
    """
    packed = zlib.compress(frames, _LEVEL)
    packing = ZLIB if len(packed) < len(frames) else PLAIN
    stored = packed if packing else frames
    row = {
        "branch_key": branch,
        "first_seq": first,
        "last_seq": last,
        "frames": stored,
        "checksum": range_checksum(branch, first, last, stored, packing),
        "packing": packing,
    }
    # What was written is about to be deleted: it must be there in the other form first.
    if plain_frames(row) != frames:
        raise LogCorrupt(branch, first, last)
    return row


def plain_frames(row: Mapping[str, Any] | RowMapping) -> bytes:
    """Return a row's frames as they were written, after a look at the checksum.

    Raises:
        LogCorrupt: bytes, count or place do not fit it.
    """
    branch, first, last, frames, packing = (row[name] for name in _CHECKED)
    if row["checksum"] == range_checksum(branch, first, last, frames, packing):
        with suppress(zlib.error):
            plain = zlib.decompress(frames) if packing == ZLIB else bytes(frames)
            if plain.count(b"\n") == last - first:
                return plain
    raise LogCorrupt(branch, first, last)


def read_range(row: Mapping[str, Any] | RowMapping, after: int = 0, upto: int | None = None) -> LogPage:
    """Return a row's events with `after` < number <= `upto`; raises as `plain_frames` does."""
    first, lines = row["first_seq"], split(plain_frames(row))
    skipped = max(0, after - first + 1)
    kept = len(lines) if upto is None else max(0, upto - first + 1)
    return LogPage(first + skipped, lines[skipped:kept])


def range_checksum(branch: int, first: int, last: int, frames: bytes, packing: str | None = PLAIN) -> int:
    """Return the checksum of a row: over its bytes, how they are packed, and where they belong."""
    place = b"%d:%d:%d" % (branch, first, last)
    return crc32(frames, crc32(place if packing is PLAIN else b"%b:%b" % (place, packing.encode())))
