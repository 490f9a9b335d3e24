"""Whether the server wants requests."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hosting.domain.errors import StorageUnavailable
from hosting.runtime.rings import Rings


@dataclass(frozen=True, slots=True)
class Readiness:
    """Asks everything that must be well for a request to be served."""

    recovered: asyncio.Event
    rings: Rings
    ping: Callable[[], Awaitable[None]]

    async def why_not(self) -> str | None:
        """Return a sentence that says why requests are not welcome, or None when they are."""
        if self.rings.closing is not None:
            return "The server is shutting down."
        if not self.recovered.is_set():
            return "The server is taking up the runs that a crash left behind."
        try:
            await self.ping()
        except StorageUnavailable:
            return "The storage does not answer."
        return None
