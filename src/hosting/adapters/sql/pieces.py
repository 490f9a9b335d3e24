"""Which rows of a log become one: those of one run that lie next to each other, up to a bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import bindparam, func, select

from hosting.adapters.sql.tables import events

_WORTH_PACKING_ALONE: Final = 1024
"""Bytes; a row by itself that is smaller would not become much smaller still."""

ROW_SIZES: Final = (
    select(events.c.first_seq, events.c.last_seq, events.c.run_id, events.c.packing, func.length(events.c.frames))
    .where(
        events.c.branch_key == bindparam("branch"),
        events.c.last_seq > bindparam("after"),
        events.c.last_seq <= bindparam("upto"),
    )
    .order_by(events.c.last_seq)
    .limit(bindparam("many"))
)
"""What `cut` wants to know of a log; the frames stay where they are."""


class RowSize(NamedTuple):
    """A row without its frames."""

    first: int
    last: int
    run_id: str | None
    packing: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """So many rows that become one, which begins and ends where they do."""

    first: int
    last: int
    rows: int
    size: int

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.last - self.first + 1


class _Stretch:
    """Rows that may become one."""

    def __init__(self) -> None:
        self._rows: list[RowSize] = []
        self._size = 0

    def add(self, row: RowSize) -> None:
        self._rows.append(row)
        self._size += row.size

    def takes(self, row: RowSize, events: int, size: int) -> bool:
        if not self._rows:
            return True
        last = self._rows[-1]
        return (
            row.packing is None
            # The events of one run are read by its id.
            and row.run_id == last.run_id
            and row.first == last.last + 1
            and row.last - self._rows[0].first < events
            and self._size + row.size <= size
        )

    def pieces(self) -> list[Piece]:
        if len(self._rows) > 1 or self._size >= _WORTH_PACKING_ALONE:
            return [Piece(self._rows[0].first, self._rows[-1].last, len(self._rows), self._size)]
        return []


def cut(rows: Sequence[RowSize], *, events: int, size: int) -> tuple[list[Piece], int]:
    """Return pieces of so many events and bytes at most, in all not much more, and how many of the rows were seen to.

    A row that is larger is a piece by itself.
    """
    pieces: list[Piece] = []
    stretch = _Stretch()
    for seen, row in enumerate(rows):
        if not stretch.takes(row, events, size):
            pieces += stretch.pieces()
            stretch = _Stretch()
            if sum(piece.events for piece in pieces) >= events or sum(piece.size for piece in pieces) >= size:
                return pieces, seen
        if row.packing is None:
            stretch.add(row)
    return [*pieces, *stretch.pieces()], len(rows)
