"""Both ways to hold a conversation, behind one face: a live feed with requests beside it, and a WebSocket."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.feed import Feed, completed
from tests.sockets.talk import Envelope, Talk


class Wire(ABC):
    """What a client has seen of a branch, and its way to say something; `lines` are the exact texts of the events."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def events(self) -> list[Envelope]:
        """The events seen."""
        return [json.loads(line) for line in self.lines]

    @abstractmethod
    async def send(self, envelope: Envelope) -> None:
        """Send an envelope that must be accepted."""

    @abstractmethod
    async def until(self, last: Callable[[Envelope], bool]) -> Envelope:
        """Read on until the event that is wanted."""

    async def say(self, text: str, **members: Any) -> None:
        """Send an input."""
        await self.send({"type": "USER_TEXT_INPUT", "text": text, **members})

    async def of_type(self, wire_type: str) -> Envelope:
        """Read on until an event of this type."""
        return await self.until(lambda event: event["type"] == wire_type)

    async def end(self) -> Envelope:
        """Read on until a run has ended."""
        return await self.until(completed)


class _FeedAndPosts(Wire):
    def __init__(self, client: Client, session: str, feed: Feed) -> None:
        super().__init__()
        self._client = client
        self._path = client.path(session)
        self._feed = feed

    async def send(self, envelope: Envelope) -> None:
        is_answer = envelope["type"].endswith("_RESPONSE")
        response = await self._client.http.post(f"{self._path}/{'responses' if is_answer else 'inputs'}", json=envelope)
        assert response.status_code == (200 if is_answer else 202), response.text

    async def until(self, last: Callable[[Envelope], bool]) -> Envelope:
        frames = await self._feed.until(last)
        self.lines += [str(frame.data) for frame in frames]
        return frames[-1].json


class _Socket(Wire):
    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self._talk = talk
        self.lines = talk.lines

    async def send(self, envelope: Envelope) -> None:
        await self._talk.send(envelope)

    async def until(self, last: Callable[[Envelope], bool]) -> Envelope:
        return await self._talk.until(last)


KINDS = ("feed", "socket")
each_wire = pytest.mark.parametrize("wire_kind", KINDS)


@asynccontextmanager
async def wired(kind: str, client: Client, session: str, *, after: str | None = None) -> AsyncIterator[Wire]:
    """Follow a branch in one of both ways."""
    if kind == "feed":
        async with client.feed(session, after=after) as feed:
            await feed.frame()
            yield _FeedAndPosts(client, session, feed)
    else:
        async with Talk(client, session, after=after) as talk:
            yield _Socket(talk)
