"""Following a branch's log with a cursor: ring or store while behind, and at the head arm, look, wait."""

import asyncio
from collections.abc import AsyncGenerator
from enum import Enum, auto
from typing import Final

from events import sse
from events.control import ResetReason
from events.position import Position
from hosting.domain.branch import Branch
from hosting.domain.errors import LogCorrupt, StorageUnavailable
from hosting.domain.scope import BranchKey
from hosting.ports.store import LogPage, LogReader
from hosting.runtime.rings import Feed, Rings

_PIECE_BYTES: Final = 64 * 1024


class Pause(Enum):
    """Why there was nothing to read."""

    BEAT = auto()
    CLOSING = auto()
    DELETED = auto()
    GONE = auto()
    TRIMMED = auto()


class _Behind(Enum):
    """The cursor lies before what the ring holds."""

    RING = auto()


class Follower:
    """One reader of a branch's log.

    Everything from its cursor to the head comes as one chunk of frames, shared by all readers at the same place.
    """

    def __init__(self, rings: Rings, log: LogReader, branch: BranchKey, epoch: str) -> None:
        self._rings = rings
        self._log = log
        self._branch = branch
        self._epoch = epoch
        self._feed: Feed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._pages: AsyncGenerator[LogPage] | None = None
        self._read_to = 0
        self._beat = False
        self._gone = False
        self.cursor = 0
        self.trimmed = 0

    async def open(self) -> int | None:
        """Begin to follow and return the number of the last event; None when the branch is gone. Pair with `aclose`."""
        # Armed first: what is committed after the head was read reaches the ring, what was before is in the store.
        self._feed = self._rings.open(self._branch)
        head = await self._log.head(self._branch)
        ring = self._feed.ring
        if head is not None and ring.base == ring.head:
            # It holds nothing yet, so nothing is lost by moving it; one that holds frames is filled by the writer.
            self._rings.advance(self._branch, head)
        return head

    async def aclose(self) -> None:
        """Stop following."""
        if self._feed is not None:
            if self._waiter is not None:
                self._feed.disarm(self._waiter)
            self._rings.close(self._branch)
            self._feed = None
        await self._stop_reading()

    @property
    def position(self) -> Position:
        """The place of the last event that was handed out, or where the reading began."""
        return Position(self._epoch, self.cursor)

    def beat(self) -> None:
        """Let `next` return BEAT if it is waiting: the caller wants to show that it lives."""
        self._beat = True
        self._wake()

    def leave(self) -> None:
        """Let `next` return GONE: nobody listens any more."""
        self._gone = True
        self._wake()

    def ready(self) -> bytes | None:
        """Return all frames from the cursor on if the ring holds them, without waiting."""
        feed = self._feed
        if feed is None or self._gone or self.cursor >= feed.ring.head:
            return None
        chunk = feed.ring.after(self.cursor)
        if chunk is not None:
            self.cursor = feed.ring.head
        return chunk

    async def next(self) -> bytes | Pause:
        """Return all frames from the cursor on, or why there are none; waits at the head.

        TRIMMED says that the log has lost what came next, up to `trimmed`; the cursor is at the head then.

        Raises:
            LogCorrupt, StorageUnavailable: the store cannot give what is behind the ring.
        """
        feed = self._feed
        if feed is None:
            return Pause.GONE
        while True:
            waiter = self._arm(feed)
            found = self._look(feed)
            if found is not None:
                break
            if self._pages is not None:
                await self._stop_reading()
            await waiter
        return await self._page(feed) if found is _Behind.RING else found

    def _arm(self, feed: Feed) -> asyncio.Future[None]:
        # One that was armed and not waited for still stands.
        if self._waiter is None or self._waiter.done():
            self._waiter = feed.arm()
        return self._waiter

    def _look(self, feed: Feed) -> "bytes | Pause | _Behind | None":
        if self._gone:
            return Pause.GONE
        if self.cursor < feed.ring.head:
            chunk = self.ready()
            if chunk is not None:
                return chunk
            if not feed.gone:
                return _Behind.RING
        return self._pause(feed)

    def _pause(self, feed: Feed) -> Pause | None:
        if feed.gone:
            return Pause.DELETED
        if self._rings.closing is not None:
            return Pause.CLOSING
        if self._beat:
            self._beat = False
            return Pause.BEAT
        return None

    async def _page(self, feed: Feed) -> bytes | Pause:
        """Read a piece of what the ring does not hold from the store, or say why it is not there any more."""
        piece: list[bytes] = []
        size = 0
        goes_on = self._pages if self._read_to == self.cursor else None
        pages = goes_on or await self._begin_reading(feed)
        try:
            async for page in pages:
                piece += sse.frames(Position(self._epoch, page.first), page.lines)
                size += sum(map(len, page.lines))
                self.cursor = self._read_to = page.last
                if size >= _PIECE_BYTES:
                    return b"".join(piece)
        except StorageUnavailable:
            # What is whole goes out first; the next look meets the same fault.
            if not piece:
                raise
        except LogCorrupt:
            # The same; but rows are missing, too, where they were deleted while they were read.
            if not piece and (lost := await self._lost(feed)) is not None:
                return lost
            if not piece:
                raise
        self._pages = None
        if piece:
            return b"".join(piece)
        if goes_on is not None:
            return await self._page(feed)
        if (lost := await self._lost(feed)) is not None:
            return lost
        raise LogCorrupt(self._branch, self.cursor + 1, feed.ring.head)

    async def _begin_reading(self, feed: Feed) -> AsyncGenerator[LogPage]:
        # Kept between two pieces: it has read ahead, and begun anew for each one it would read all several times over.
        await self._stop_reading()
        self._pages = self._log.pages(self._branch, self.cursor, feed.ring.head)
        return self._pages

    async def _stop_reading(self) -> None:
        pages, self._pages = self._pages, None
        if pages is not None:
            await pages.aclose()

    async def _lost(self, feed: Feed) -> Pause | None:
        """Return why rows are missing that were there; None when nothing of that kind explains it."""
        trimmed = None if feed.gone else await self._log.trimmed(self._branch)
        if trimmed is None:
            return Pause.DELETED
        if trimmed <= self.cursor:
            return None
        self._pages, self.trimmed = None, trimmed
        self.cursor = max(feed.ring.head, trimmed)
        return Pause.TRIMMED

    def _wake(self) -> None:
        if self._feed is not None and self._waiter is not None and not self._waiter.done():
            self._feed.disarm(self._waiter)
            self._waiter.set_result(None)


def start_of(branch: Branch, head: int, asked: str | None) -> tuple[int, ResetReason | None]:
    """Return the cursor to follow from, and why it is not the place that was asked for, if it is not."""
    if not asked:
        return head, None
    position = Position.parse(asked)
    if position is None:
        return head, ResetReason.MALFORMED
    if position.epoch != branch.epoch:
        return head, ResetReason.FOREIGN
    if position.seq > head:
        return head, ResetReason.FUTURE
    if position.seq < branch.trimmed:
        return head, ResetReason.TRIMMED
    return position.seq, None
