"""A client of a branch's WebSocket."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any, Self

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.harness.client import Client
from tests.harness.feed import completed

Envelope = dict[str, Any]


class Talk:
    """A connection; `async with` opens it. `lines` are the frames that came, as they came."""

    def __init__(
        self,
        client: Client,
        session: str,
        branch: str = "main",
        *,
        after: str | None = None,
        last_event_id: str | None = None,
        base: str | None = None,
    ) -> None:
        query = "" if after is None else f"?after={after}"
        self._url = f"{(base or client.base).replace('http', 'ws', 1)}{client.path(session, branch)}/ws{query}"
        self._headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        self._connection: ClientConnection | None = None
        self.lines: list[str] = []

    async def __aenter__(self) -> Self:
        self._connection = await connect(
            self._url, additional_headers=self._headers, max_size=None, ping_interval=None, proxy=None
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.connection.close()

    @property
    def connection(self) -> ClientConnection:
        """The connection itself."""
        assert self._connection is not None
        return self._connection

    @property
    def events(self) -> list[Envelope]:
        """The frames that came."""
        return [json.loads(line) for line in self.lines]

    async def send(self, frame: Envelope | str | bytes | Iterable[str] | Iterable[bytes]) -> None:
        """Send an envelope, or something else as it is; what is sent in pieces is one message of many fragments."""
        await self.connection.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def say(self, text: str, **members: Any) -> None:
        """Send an input."""
        await self.send({"type": "USER_TEXT_INPUT", "text": text, **members})

    async def frame(self, *, seconds: float = 30) -> Envelope:
        """Return the next frame."""
        async with asyncio.timeout(seconds):
            line = await self.connection.recv()
        assert isinstance(line, str)
        self.lines.append(line)
        event: Envelope = json.loads(line)
        return event

    async def until(self, last: str | Callable[[Envelope], bool], *, seconds: float = 30) -> Envelope:
        """Read on until an event of this type, or one that is the one wanted."""
        async with asyncio.timeout(seconds):
            while True:
                event = await self.frame()
                if event["type"] == last if isinstance(last, str) else last(event):
                    return event

    async def end(self, *, seconds: float = 30) -> Envelope:
        """Read on until a run has ended."""
        return await self.until(completed, seconds=seconds)

    async def ending(self, *, seconds: float = 30) -> tuple[int, str]:
        """Read what is left, and return the code and the reason that the server closes with."""
        async with asyncio.timeout(seconds):
            with pytest.raises(ConnectionClosed) as closed:
                await self._all()
        close = closed.value.rcvd
        assert close is not None, "the connection was cut"
        return close.code, close.reason

    async def _all(self) -> None:
        while True:
            await self.frame()

    def cut(self) -> None:
        """Leave without a word."""
        self.connection.transport.abort()
