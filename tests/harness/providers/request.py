"""A request as a provider got it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    """What a client sent; `closed` is set when it went away before its answer had ended, `answered` when it ended."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def left(self, *, seconds: float = 5) -> None:
        """Return when the client has gone before its answer had ended."""
        async with asyncio.timeout(seconds):
            await self.closed.wait()

    def messages(self) -> list[Any]:
        """Return the conversation that was sent, in the wire's own form."""
        said: list[Any] = self.body["messages"] if "messages" in self.body else self.body["input"]
        return said
