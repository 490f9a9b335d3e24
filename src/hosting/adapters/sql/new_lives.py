"""A restored database lives anew: every position of its life before is another life's, and nobody holds anything."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, literal_column, text, update

from events.serializer import join
from hosting.adapters.sql.ranges import PLAIN, folded_row, range_checksum, read_range
from hosting.adapters.sql.tables import branches, events, keyed_requests, leases
from hosting.domain.errors import LogCorrupt

_ROWS_AT_ONCE: Final = 16
_FENCES: Final = 1 << 32
"""More runs than a branch ever has: who got a lease after the backup was made must hold nothing that is begun now."""
_POSITION: Final = re.compile(rb'(?<="position":")[0-9a-f]{12}(?=\.)')

_LIVES: Final = (
    text(
        "CREATE TEMP TABLE lives AS "
        "SELECT key AS branch_key, epoch AS before, lower(hex(randomblob(6))) AS now FROM branches"
    ),
    text("CREATE UNIQUE INDEX temp.lives_by_branch ON lives (branch_key)"),
    text("CREATE INDEX temp.lives_by_epoch ON lives (before)"),
)
_BEGIN_ANEW: Final = update(branches).values(
    epoch=literal_column("(SELECT now FROM lives WHERE branch_key = branches.key)"), fence=branches.c.fence + _FENCES
)
_ROWS: Final = text(
    "SELECT events.*, lives.before, lives.now FROM events JOIN lives ON lives.branch_key = events.branch_key "
    "WHERE number > :after ORDER BY number LIMIT :many"
)
_REWRITE: Final = (
    update(events)
    .where(events.c.number == bindparam("row"))
    .values(frames=bindparam("bytes"), checksum=bindparam("sum"), packing=bindparam("packed"))
)
_ANSWERS: Final = text("SELECT rowid, body FROM keyed_requests WHERE rowid > :after ORDER BY rowid LIMIT :many")
_NOW: Final = text("SELECT now FROM lives WHERE before = :before")
_ANSWER_ANEW: Final = (
    update(keyed_requests).where(literal_column("rowid") == bindparam("row")).values(body=bindparam("said"))
)


def begin_new_lives(connection: Connection) -> None:
    """Give each branch of a SQLite file of the newest schema a new epoch: in its row, its log and what was answered.

    Nobody holds a run afterwards; those that were active are taken up again as after a crash.

    Raises:
        LogCorrupt: stored events are damaged.
    """
    for statement in (*_LIVES, _BEGIN_ANEW, delete(leases)):
        connection.execute(statement)
    after = 0
    while found := connection.execute(_ROWS, {"after": after, "many": _ROWS_AT_ONCE}).all():
        connection.execute(_REWRITE, [_moved(dict(row._mapping)) for row in found])
        after = found[-1].number
    _answer_anew(connection)


def _moved(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row of the log has to hold, so that its events have the new epoch."""
    branch, first, last = row["branch_key"], row["first_seq"], row["last_seq"]
    page, before, now = read_range(row), row["before"].encode(), row["now"].encode()
    frames = join([_with_epoch(line, before, now, row, seq) for seq, line in enumerate(page.lines, page.first)])
    if row["packing"] is PLAIN:
        new = {"frames": frames, "checksum": range_checksum(branch, first, last, frames), "packing": PLAIN}
    else:
        new = folded_row(branch, first, last, frames)
    return {"row": row["number"], "bytes": new["frames"], "sum": new["checksum"], "packed": new["packing"]}


def _with_epoch(line: bytes, before: bytes, now: bytes, row: Mapping[str, Any], seq: int) -> bytes:
    # No text within an event can look like this: its quotation marks would have backslashes.
    place = b'","eventId":"%b.%d","sequenceNumber":%d,'
    head, found, rest = line.partition(place % (before, seq, seq))
    if not found:
        raise LogCorrupt(row["branch_key"], row["first_seq"], row["last_seq"])
    return head + place % (now, seq, seq) + rest


def _answer_anew(connection: Connection) -> None:
    """Let a request that comes again be told a position of the new life."""

    def now(before: re.Match[bytes]) -> bytes:
        known: str | None = connection.scalar(_NOW, {"before": before[0].decode()})
        return known.encode() if known else before[0]

    after = 0
    while found := connection.execute(_ANSWERS, {"after": after, "many": _ROWS_AT_ONCE}).all():
        connection.execute(_ANSWER_ANEW, [{"row": row.rowid, "said": _POSITION.sub(now, row.body)} for row in found])
        after = found[-1].rowid
