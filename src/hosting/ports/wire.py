"""The door to the server that a worker of our own works for (docs/reference/worker-protocol.md)."""

from collections.abc import AsyncGenerator
from typing import Protocol


class Wire(Protocol):
    """Requests of one registered worker.

    Raises, all of them:
        ServerAway: there is no answer; it can be asked again.
        ServerRefused: the server says no.
    """

    @property
    def worker_id(self) -> str:
        """Under which name it is registered."""
        ...

    async def register(self) -> None:
        """Register again, under a name that is new: the server does not know the old one any more."""
        ...

    async def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Make a request, with a body of JSON if it has one, and return the body of the answer."""
        ...

    def lines(self, path: str) -> AsyncGenerator[bytes]:
        """Get what is answered line by line."""
        ...
