"""The least that fans out: frames in a list, one joined chunk shared by readers at the same place."""

import asyncio
from collections.abc import Sequence


class BareRing:
    """Holds every frame, since a benchmark ends; what it lacks beside the real ring is what the ratio shows."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._cursor, self._chunk = -1, b""
        self.head = 0

    def publish(self, frames: Sequence[bytes]) -> None:
        """Append frames and wake who waits."""
        self._frames.extend(frames)
        self.head = len(self._frames)
        self._cursor = -1
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def armed(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def grown(self) -> asyncio.Future[None]:
        """Return a future that the next publishing settles."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return waiter

    def after(self, cursor: int) -> bytes:
        """Return the frames behind the cursor, joined once for all who stand there."""
        if cursor != self._cursor:
            self._chunk = b"".join(self._frames[cursor:])
            self._cursor = cursor
        return self._chunk

    def since(self, cursor: int) -> list[bytes]:
        """Return the frames behind the cursor one by one."""
        return self._frames[cursor:]
