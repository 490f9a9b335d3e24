"""The pauses of who looks again until something is so."""

import asyncio
from typing import Final

_FIRST_SECONDS: Final = 0.01
_LONGEST_SECONDS: Final = 0.25
_GROWTH: Final = 1.5


class Patience:
    """Waits between two looks, and longer each time up to a quarter of a second: a look costs both sides of it."""

    def __init__(self) -> None:
        self._seconds = _FIRST_SECONDS

    async def wait(self) -> None:
        """Wait until it is time for the next look."""
        await asyncio.sleep(self._seconds)
        self._seconds = min(self._seconds * _GROWTH, _LONGEST_SECONDS)
