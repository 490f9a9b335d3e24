"""The rings of the branches that are followed on this node, and who waits at them."""

import asyncio

from events import sse
from events.control import CloseReason
from events.ring import Ring
from hosting.domain.scope import BranchKey
from hosting.ports.units import Committed


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

    A branch without followers has no ring, and publishing to it costs nothing.
    """

    def __init__(self, *, max_events: int = 1024, max_bytes: int = 1 << 20) -> None:
        self._feeds: dict[BranchKey, Feed] = {}
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.closing: CloseReason | None = None

    def open(self, branch: BranchKey) -> Feed:
        """Begin to follow; from this moment on nothing that is published passes by unseen. Pair with `close`."""
        feed = self._feeds.get(branch)
        if feed is None:
            ring = Ring(0, max_events=self._max_events, max_bytes=self._max_bytes)
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
        feed = self._feeds.get(branch)
        # Behind a run that goes on writing nobody would ever come to the end, and take his leave.
        if feed is None or self.closing is not None or not committed.lines:
            return
        if feed.ring.append(committed.first.seq, sse.frames(committed.first, committed.lines)):
            feed.wake()

    def advance(self, branch: BranchKey, head: int) -> None:
        """Tell followers that the log reaches to `head`, whose events they then read from the store."""
        feed = self._feeds.get(branch)
        if feed is not None and self.closing is None and feed.ring.advance(head):
            feed.wake()

    def gone(self, branch: BranchKey) -> None:
        """Tell followers that the branch has been deleted; only ever called when that is committed."""
        feed = self._feeds.get(branch)
        if feed is not None and not feed.gone:
            feed.gone = True
            feed.wake()

    def followed(self) -> list[BranchKey]:
        """Return the branches that have followers."""
        return list(self._feeds)

    def shut(self, reason: CloseReason) -> None:
        """Ask all followers to take their leave once they have what is there now; later ones are asked at once."""
        if self.closing is None:
            self.closing = reason
            for feed in self._feeds.values():
                feed.wake()
