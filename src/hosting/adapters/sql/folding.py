"""Rows of a log that lie next to each other become one, packed; the same events are read from it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import structlog
from sqlalchemy import Connection, bindparam, case, delete, literal_column, select, update

from hosting.adapters.sql.pieces import ROW_SIZES, Piece, RowSize, cut
from hosting.adapters.sql.ranges import folded_row, plain_frames
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.savepoint import Savepoint
from hosting.adapters.sql.tables import branches, events
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.errors import LogCorrupt

_log = structlog.get_logger("branchline.folding")

_BRANCHES_AT_ONCE: Final = 64
_EVENTS_AT_ONCE: Final = 1_000
_BYTES_AT_ONCE: Final = 512 << 10

_DUE: Final = (
    select(branches.c.key, branches.c.folded_to, branches.c.fold_due)
    # In the words of the index of parts: SQLite takes it for nothing else.
    .where(branches.c.fold_due > literal_column("0"), branches.c.key > bindparam("behind"))
    .order_by(branches.c.key)
    .limit(_BRANCHES_AT_ONCE)
)
_OF_PIECE: Final = (
    select(events)
    .where(
        events.c.branch_key == bindparam("branch"),
        events.c.last_seq >= bindparam("first"),
        events.c.last_seq <= bindparam("last"),
    )
    .order_by(events.c.last_seq)
)
# Whoever comes second finds that the branch is folded further than it saw, or is gone.
_MOVE: Final = (
    update(branches)
    .where(branches.c.key == bindparam("branch"), branches.c.folded_to == bindparam("seen_to"))
    .values(
        folded_to=bindparam("now_to"),
        fold_due=case((branches.c.fold_due == bindparam("finished"), 0), else_=branches.c.fold_due),
    )
)
_DROP: Final = delete(events).where(
    events.c.branch_key == bindparam("branch"),
    events.c.last_seq >= bindparam("first"),
    events.c.last_seq < bindparam("last"),
)
_PUT: Final = (
    update(events)
    .where(events.c.branch_key == bindparam("branch"), events.c.last_seq == bindparam("last"))
    .values(
        first_seq=bindparam("first"),
        frames=bindparam("new_frames"),
        checksum=bindparam("new_checksum"),
        packing=bindparam("new_packing"),
    )
)
_UNFINISHED: Final = -1
_KEYS: Final = 1 << 62
"""See IdSource.row_key."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How far a branch is folded and will be, with the pieces in between; `finished` is the wish thus granted."""

    branch: int
    seen_to: int
    now_to: int
    finished: int
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class _Folded:
    """What takes the place of a piece's rows."""

    piece: Piece
    row: dict[str, Any]


class SqlFolding:
    """Folds the branches on which something has ended, one after the other, a small transaction at a time."""

    def __init__(self, transactor: Transactor, reading: Reading, chance: Random) -> None:
        self._transactor = transactor
        self._reading = reading
        # Servers on one database begin at different places: they seldom do the same work twice to throw one away.
        self._behind = chance.randrange(_KEYS)

    async def fold(self) -> bool:
        """See Upkeep.fold."""
        due = await rows(self._reading, _DUE, behind=self._behind)
        if not due:
            if self._behind < 0:
                return False
            self._behind = -1
            return await self.fold()
        steps = await self._steps(due)
        found = [(step, await self._folded(step)) for step in steps]
        # What is not any more as it was seen is looked at anew, when its turn comes again.
        still = [step for step, folded in found if folded is not None]
        folded = [fold for _, folds in found if folds is not None for fold in folds]
        await self._transactor.run(lambda connection: _store(connection, still, folded))
        return True

    async def _steps(self, due: Iterable[Any]) -> list[_Step]:
        steps: list[_Step] = []
        events_left, bytes_left = _EVENTS_AT_ONCE, _BYTES_AT_ONCE
        for branch in due:
            step = await self._step(branch.key, branch.folded_to, branch.fold_due)
            steps.append(step)
            self._behind = branch.key
            events_left -= sum(piece.events for piece in step.pieces)
            bytes_left -= sum(piece.size for piece in step.pieces)
            if events_left <= 0 or bytes_left <= 0:
                break
        return steps

    async def _step(self, branch: int, seen_to: int, due: int) -> _Step:
        found = await rows(self._reading, ROW_SIZES, branch=branch, after=seen_to, upto=due, many=_EVENTS_AT_ONCE)
        sizes = [RowSize._make(row) for row in found]
        pieces, reached = cut(sizes, events=_EVENTS_AT_ONCE, size=_BYTES_AT_ONCE)
        finished = reached == len(sizes) < _EVENTS_AT_ONCE
        now_to = max(due, seen_to) if finished else sizes[reached - 1].last
        return _Step(branch, seen_to, now_to, due if finished else _UNFINISHED, pieces)

    async def _folded(self, step: _Step) -> list[_Folded] | None:
        """Return what takes the place of a step's rows; None when somebody else has folded or removed some of them."""
        folded: list[_Folded] = []
        for piece in step.pieces:
            given = {"branch": step.branch, "first": piece.first, "last": piece.last}
            found = [dict(row._mapping) for row in await rows(self._reading, _OF_PIECE, **given)]
            if len(found) != piece.rows:
                return None
            try:
                # In a thread: half a megabyte takes long enough for all who are connected to notice it.
                row = await asyncio.to_thread(_fold, step.branch, piece, found)
            except LogCorrupt as error:
                # It stays as it is, for whoever can mend it.
                _log.error("damaged events are not folded", error=str(error))
            else:
                folded.append(_Folded(piece, row))
        return folded


def _fold(branch: int, piece: Piece, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    frames = b"\n".join(map(plain_frames, found))
    if frames.count(b"\n") != piece.last - piece.first:
        raise LogCorrupt(branch, piece.first, piece.last)
    return folded_row(branch, piece.first, piece.last, frames)


def _store(connection: Connection, steps: Sequence[_Step], folded: Sequence[_Folded]) -> None:
    # In one order everywhere, as the writers lock branches.
    for step in sorted(steps, key=lambda step: step.branch):
        mine = [fold for fold in folded if fold.row["branch_key"] == step.branch]
        with Savepoint(connection) as savepoint:
            if not _is_stored(connection, step, mine):
                savepoint.undo()


def _is_stored(connection: Connection, step: _Step, folded: Sequence[_Folded]) -> bool:
    """Fold a branch; False when it is not any more as it was, and then the transaction must not be kept so far."""
    moved = {"branch": step.branch, "seen_to": step.seen_to, "now_to": step.now_to, "finished": step.finished}
    if connection.execute(_MOVE, moved).rowcount != 1:
        return False
    for fold in folded:
        place = {"branch": step.branch, "first": fold.piece.first, "last": fold.piece.last}
        if connection.execute(_DROP, place).rowcount != fold.piece.rows - 1:
            return False
        new = {f"new_{name}": fold.row[name] for name in ("frames", "checksum", "packing")}
        if connection.execute(_PUT, {**place, **new}).rowcount != 1:
            return False
    return True
