"""What was relayed of a worker's words: every piece once, in the order of the indices.

What is late is never inserted, and nothing that is missing is waited for (docs/reference/worker-protocol.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

MOST_REMEMBERED: Final = 64
"""How many turns that are over are told from new ones; a worker comes back with a batch within seconds, or never."""

INTERVIEW_OVER: Final = "<!-- INTERVIEW_COMPLETE -->"
"""What an agent ends an interview with, as its workers know it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of a turn; indices grow within it from 0, and the last piece is `done`."""

    index: int
    text: str
    done: bool = False


class Relayed(Struct, frozen=True, array_like=True):
    """How far the relay of one claim has come; another claim begins anew.

    `missing` counts the frames of the turn that were passed over; `ending` is the end of what it has said, as long as
    it could be the beginning of INTERVIEW_OVER; `over` are the turns behind it, the oldest first.
    """

    claim: int = 0
    turn: str = ""
    last: int = -1
    missing: int = 0
    ending: str = ""
    is_interview_over: bool = False
    over: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the turn was passed over so far."""
        return not self.missing

    def of_turn(self, turn: str) -> "Relayed | None":
        """Return where the relay stands when a frame of a turn comes; None when that turn is over."""
        if turn == self.turn:
            return self
        if turn in self.over:
            return None
        over = (*self.over, self.turn)[-MOST_REMEMBERED:] if self.turn else self.over
        return Relayed(self.claim, turn, is_interview_over=self.is_interview_over, over=over)

    def take(self, frames: Iterable[Frame]) -> "Batch":
        """Return what is new of a batch of the turn; the batch itself may be in any order."""
        taken: list[Frame] = []
        last, missing = self.last, 0
        for frame in sorted(frames, key=_index):
            if frame.index > last:
                missing += frame.index - last - 1
                last = frame.index
                taken.append(frame)
        said = self.ending + "".join(frame.text for frame in taken)
        ends = not self.is_interview_over and INTERVIEW_OVER in said
        after = replace(
            self,
            last=last,
            missing=self.missing + missing,
            ending=said[-len(INTERVIEW_OVER) + 1 :],
            is_interview_over=self.is_interview_over or ends,
        )
        return Batch(after, taken, missing, ends_interview=ends)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is taken of a batch, and where the relay stands then; `missing` counts what was passed over before it."""

    after: Relayed
    taken: list[Frame]
    missing: int
    ends_interview: bool


def _index(frame: Frame) -> int:
    return frame.index
