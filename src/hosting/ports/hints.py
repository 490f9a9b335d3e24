"""The door to the other servers on the same store: what one tells the others when there is something to look at."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Protocol

import msgspec

from events.ids import RunId
from hosting.domain.scope import BranchKey, NodeId


class Hint(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be news to another server; the store decides, and whoever misses a hint only hears of it later.

    `moved` says how far logs reach, `gone` which branches were deleted, `settled` which questions are open no more.
    Of the runs in `interrupted` somebody wishes something, and when `unowned` there are runs that nobody holds.
    """

    moved: Mapping[BranchKey, int] = {}
    gone: tuple[BranchKey, ...] = ()
    settled: tuple[str, ...] = ()
    interrupted: tuple[RunId, ...] = ()
    unowned: bool = False

    def pieces(self, most: int) -> Iterator["Hint"]:
        """Cut it into hints of at most so much news of each kind."""
        moved, gone = iter(self.moved.items()), iter(self.gone)
        settled, interrupted = iter(self.settled), iter(self.interrupted)
        unowned = self.unowned
        while True:
            piece = Hint(
                dict(islice(moved, most)),
                tuple(islice(gone, most)),
                tuple(islice(settled, most)),
                tuple(islice(interrupted, most)),
                unowned,
            )
            if piece == Hint():
                return
            yield piece
            unowned = False


class HintChannel(Protocol):
    """Carries hints between the servers on one store, as fast as it can and without any promise."""

    @property
    def is_heard(self) -> bool:
        """Whether there may be another server to hear a hint; while there is none, nothing need be told."""
        ...

    async def tell(self, hint: Hint) -> None:
        """Send a hint to all others; what cannot be sent is forgotten."""
        ...

    async def run(self, node: NodeId, hear: Callable[[Hint | None], None]) -> None:
        """Hear what the other servers tell until cancelled, and connect again whenever that is needed.

        `hear` is called with each hint, and with None when hints may have been missed.
        """
        ...
