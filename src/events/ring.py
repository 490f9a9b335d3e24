"""The tail of one branch's log in memory, shared by all who follow it."""

from collections import deque
from collections.abc import Sequence
from itertools import islice


class Ring:
    """Holds the newest frames of a log, and hands each reader everything behind its cursor as one chunk.

    Holds at most `max_events` frames and `max_bytes` bytes, and always the last append.
    `base` is the cursor of the oldest frame held: a reader at `base` or later is served here, an earlier one by the
    store.
    """

    __slots__ = ("_bytes", "_chunks", "_chunks_bytes", "_frames", "_max_bytes", "_max_events", "base", "head")

    def __init__(self, head: int, *, max_events: int = 1024, max_bytes: int = 1 << 20) -> None:
        self._frames: deque[bytes] = deque()
        self._chunks: dict[int, bytes] = {}
        self._chunks_bytes = 0
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.base = self.head = head

    def append(self, first: int, frames: Sequence[bytes]) -> bool:
        """Take frames numbered from `first`; False when they were known already.

        After a gap the ring starts anew at `first`, and who is behind reads the store.
        """
        last = first + len(frames) - 1
        if last <= self.head:
            return False
        if first != self.head + 1:
            self._restart(first - 1)
        self._frames.extend(frames)
        self._bytes += sum(map(len, frames))
        self.head = last
        self._forget_chunks()
        self._trim(keep=len(frames))
        return True

    def advance(self, head: int) -> bool:
        """Learn that the log reaches to `head` without having its frames; False when that is no news."""
        if head <= self.head:
            return False
        self._restart(head)
        return True

    def after(self, cursor: int) -> bytes | None:
        """Return all frames behind the cursor joined, or None when the ring does not reach back that far."""
        if cursor < self.base:
            return None
        chunk = self._chunks.get(cursor)
        if chunk is None:
            chunk = b"".join(islice(self._frames, cursor - self.base, None))
            self._share(cursor, chunk)
        return chunk

    def _share(self, cursor: int, chunk: bytes) -> None:
        # Readers that come back to a quiet branch at a thousand places must not leave a thousand chunks behind.
        if self._chunks_bytes + len(chunk) > self._max_bytes:
            self._forget_chunks()
        self._chunks[cursor] = chunk
        self._chunks_bytes += len(chunk)

    def _forget_chunks(self) -> None:
        self._chunks = {}
        self._chunks_bytes = 0

    def _restart(self, base: int) -> None:
        self._frames.clear()
        self._forget_chunks()
        self._bytes = 0
        self.base = self.head = base

    def _trim(self, keep: int) -> None:
        while len(self._frames) > max(keep, 1) and (
            len(self._frames) > self._max_events or self._bytes > self._max_bytes
        ):
            self._bytes -= len(self._frames.popleft())
            self.base += 1
