"""Whether logs are whole: every row as it was written, in its place, and none missing up to the head."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from hosting.adapters.sql.finding import Finding, FindingKind, Findings
from hosting.adapters.sql.ranges import read_range
from hosting.adapters.sql.tables import branches, events
from hosting.domain.errors import LogCorrupt

_ROWS_AT_ONCE: Final = 16
_BEFORE_ALL: Final = -1

_NEXT_KEYS: Final = (
    select(func.min(branches.c.key)).where(branches.c.key > bindparam("behind")),
    select(func.min(events.c.branch_key)).where(events.c.branch_key > bindparam("behind")),
)
_BRANCH: Final = select(branches).where(branches.c.key == bindparam("key"))
_ROWS: Final = (
    select(events)
    .where(events.c.branch_key == bindparam("key"), events.c.last_seq > bindparam("after"))
    .order_by(events.c.last_seq)
    .limit(_ROWS_AT_ONCE)
)


@dataclass(slots=True)
class Looked:
    """How much there was to look at."""

    branches: int = 0
    rows: int = 0
    events: int = 0


def check_logs(connection: Connection, looked: Looked) -> Findings:
    """Tell what is wrong with each log, one snapshot of the database after the other: servers may be writing."""
    behind = _BEFORE_ALL
    while True:
        with connection.begin():
            keys = [connection.scalar(statement, {"behind": behind}) for statement in _NEXT_KEYS]
            there = [key for key in keys if key is not None]
            if not there:
                return
            behind = min(there)
            yield from _check_log(connection, behind, looked)


def _check_log(connection: Connection, key: int, looked: Looked) -> Findings:
    branch = connection.execute(_BRANCH, {"key": key}).one_or_none()
    if branch is None:
        first = connection.execute(_ROWS, {"key": key, "after": _BEFORE_ALL}).first()
        yield Finding(FindingKind.LOG_ORPHAN, f"branch row {key}", f"of tenant {first.tenant if first else '?'}")
        return
    looked.branches += 1
    place, cursor = _shown(branch), branch.trimmed
    for row in _rows(connection, key):
        looked.rows += 1
        looked.events += row.last_seq - row.first_seq + 1
        # A log may have lost its beginning up to somewhere inside of a row.
        if row.first_seq > cursor + 1:
            yield Finding(FindingKind.GAP, place, f"events {cursor + 1} to {row.first_seq - 1} are missing")
        elif row.first_seq <= cursor and cursor != branch.trimmed:
            yield Finding(FindingKind.OVERLAP, place, f"events {row.first_seq} to {cursor} are there twice")
        yield from _check_row(row, branch, place)
        cursor = max(cursor, row.last_seq)
    head = branch.next_seq - 1
    if cursor < head:
        yield Finding(FindingKind.GAP, place, f"events {cursor + 1} to {head} are missing")
    elif cursor > max(head, branch.trimmed):
        yield Finding(FindingKind.BEYOND_HEAD, place, f"events {head + 1} to {cursor} are behind the head")


def _rows(connection: Connection, key: int) -> Iterator[Row[Any]]:
    after = _BEFORE_ALL
    while found := connection.execute(_ROWS, {"key": key, "after": after}).all():
        yield from found
        after = found[-1].last_seq


def _check_row(row: Row[Any], branch: Row[Any], place: str) -> Findings:
    events_of_row = f"events {row.first_seq} to {row.last_seq}"
    try:
        lines = read_range(row._mapping).lines
    except LogCorrupt:
        yield Finding(FindingKind.DAMAGED, place, f"{events_of_row} do not fit their checksum")
        return
    # What a reader takes for the event's place is inside of it.
    wanted = (b'"eventId":"%b.%d"' % (branch.epoch.encode(), row.first_seq + index) for index in range(len(lines)))
    if not all(position in line for position, line in zip(wanted, lines, strict=True)):
        yield Finding(FindingKind.MISPLACED, place, f"{events_of_row} say that they are of another place or log")


def _shown(branch: Row[Any]) -> str:
    return f"{branch.tenant}/{branch.session_id}/{branch.id}"
