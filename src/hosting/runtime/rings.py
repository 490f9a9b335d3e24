"""The rings of the branches that are followed on this node, and who waits at them."""

import asyncio
from collections.abc import Iterable
from typing import Final

from events import sse
from events.control import CloseReason
from events.ring import Ring
from hosting.domain.scope import BranchKey
from hosting.ports.store import Tail
from hosting.ports.units import Committed
from hosting.runtime.telling import Telling

_SMALLEST_RING_BYTES: Final = 64 << 10
"""As much as a run may have written at once."""


class Feed:
    """One followed branch: its ring, and the readers to wake when it grows or is `gone`."""

    __slots__ = ("_waiting", "followers", "gone", "ring")

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.followers = 0
        self.gone = False
        self._waiting: dict[asyncio.Future[None], None] = {}

    def arm(self) -> asyncio.Future[None]:
        """Return a future of the caller's own that the next growth settles."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = None
        return waiter

    def disarm(self, waiter: asyncio.Future[None]) -> None:
        """Forget a future; an idle branch would otherwise keep one for each heartbeat and each reader that left."""
        self._waiting.pop(waiter, None)

    @property
    def armed(self) -> int:
        """How many futures the next growth settles: one for each reader, at most."""
        return len(self._waiting)

    def wake(self) -> None:
        """Wake all who wait."""
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)


class Rings:
    """Gives followers the feed of a branch and the writer a place to publish.

    A branch without followers has no ring, and publishing to it costs nothing. The more are followed, the smaller are
    the rings that come to it, so that all together stay near `budget_bytes`; what they do not hold is read from the
    store. Servers elsewhere are told by `telling`.
    """

    def __init__(self, *, max_events: int = 1024, max_bytes: int = 1 << 20, budget_bytes: int = 256 << 20) -> None:
        self._feeds: dict[BranchKey, Feed] = {}
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._budget_bytes = budget_bytes
        self.closing: CloseReason | None = None
        self.telling = Telling()

    def open(self, branch: BranchKey) -> Feed:
        """Begin to follow; from this moment on nothing that is published passes by unseen. Pair with `close`."""
        feed = self._feeds.get(branch)
        if feed is None:
            room = max(_SMALLEST_RING_BYTES, self._budget_bytes // (len(self._feeds) + 1))
            ring = Ring(0, max_events=self._max_events, max_bytes=min(self._max_bytes, room))
            feed = self._feeds[branch] = Feed(ring)
        feed.followers += 1
        return feed

    def close(self, branch: BranchKey) -> None:
        """End one following."""
        feed = self._feeds[branch]
        feed.followers -= 1
        if not feed.followers:
            del self._feeds[branch]

    def publish(self, branch: BranchKey, committed: Committed) -> None:
        """Show events to the branch's followers; only ever called with what is committed."""
        if not committed.lines:
            return
        self.telling.moved(branch, committed.first.seq + len(committed.lines) - 1)
        self.fill(branch, committed)

    def fill(self, branch: BranchKey, stored: Committed | Tail) -> None:
        """Show what is stored, by whichever server, to the branch's followers here."""
        feed = self._feeds.get(branch)
        # Behind a run that goes on writing nobody would ever come to the end, and take his leave.
        if feed is None or self.closing is not None:
            return
        if feed.ring.append(stored.first.seq, sse.frames(stored.first, stored.lines)):
            feed.wake()

    def advance(self, branch: BranchKey, head: int) -> None:
        """Tell followers that the log reaches to `head`, whose events they then read from the store."""
        feed = self._feeds.get(branch)
        if feed is not None and self.closing is None and feed.ring.advance(head):
            feed.wake()

    def deleted(self, branch: BranchKey) -> None:
        """Tell followers, here and elsewhere, that the branch has been deleted; only called when that is committed."""
        self.telling.gone(branch)
        self.gone(branch)

    def gone(self, branch: BranchKey) -> None:
        """Tell followers here that the branch is not stored any more."""
        feed = self._feeds.get(branch)
        if feed is not None and not feed.gone:
            feed.gone = True
            feed.wake()

    def followed(self) -> list[BranchKey]:
        """Return the branches that have followers."""
        return list(self._feeds)

    def is_behind(self, branch: BranchKey, head: int) -> bool:
        """Say whether a branch is followed here, and its followers were not told yet that its log reaches so far."""
        feed = self._feeds.get(branch)
        return feed is not None and feed.ring.head < head

    def heads_of(self, branches: Iterable[BranchKey]) -> dict[BranchKey, int]:
        """Return how far followers know the logs to reach; branches without any are left out."""
        feeds = ((branch, self._feeds.get(branch)) for branch in branches)
        return {branch: feed.ring.head for branch, feed in feeds if feed is not None}

    def shut(self, reason: CloseReason) -> None:
        """Ask all followers to take their leave once they have what is there now; later ones are asked at once."""
        if self.closing is None:
            self.closing = reason
            for feed in self._feeds.values():
                feed.wake()
