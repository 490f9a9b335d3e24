"""Readers that join runs while those stream, each in one of the ways that there are."""

import asyncio
import hashlib
import random
from dataclasses import dataclass
from typing import Final

from tests.harness.client import Client, split_array
from tests.harness.feed import Feed
from tests.sockets.talk import Talk

_FAR: Final = 1_500
"""Further back than a ring reaches, so that its first events come from the store."""


@dataclass(frozen=True)
class Joined:
    """What a reader was given: the events from `first` to `last`, by a digest of their bytes."""

    way: str
    session: str
    first: int
    last: int
    digest: str


class Joiner:
    """Joins one session again and again."""

    def __init__(self, client: Client, session: str, chance: random.Random) -> None:
        self._client = client
        self._session = session
        self._chance = chance
        self._ways = {"now": self._now, "snapshot": self._snapshot, "far": self._far, "socket": self._socket}

    async def join(self) -> Joined:
        """Join in some way, and read on until well behind the place where replay turns into live."""
        (way,) = self._chance.choices([*self._ways], [6, 6, 1, 2])
        async with asyncio.timeout(30):
            first, lines = await self._ways[way]()
        return Joined(way, self._session, first, first + len(lines) - 1, digest_of(lines))

    async def _now(self) -> tuple[int, list[str]]:
        async with self._client.feed(self._session) as feed:
            opening = await feed.frame()
            assert opening is not None
            return await _read(feed, _seq(opening.id), self._chance.randint(2, 12))

    async def _snapshot(self) -> tuple[int, list[str]]:
        """Read the log's end, and follow from there."""
        epoch, head = await self._head()
        start = max(head - 20, 0)
        text = await self._client.log_text(self._session, query=f"?after={epoch}.{start}&limit=10000")
        shown = split_array(text)
        async with self._client.feed(self._session, last_event_id=f"{epoch}.{start + len(shown)}") as feed:
            first, lines = await _read(feed, start + len(shown), self._chance.randint(4, 20))
        assert first == start + len(shown) + 1, "the live part does not begin behind the snapshot"
        return start + 1, shown + lines

    async def _far(self) -> tuple[int, list[str]]:
        epoch, head = await self._head()
        start = max(head - self._chance.randrange(_FAR), 0)
        async with self._client.feed(self._session, after=f"{epoch}.{start}") as feed:
            return await _read(feed, start, head - start + self._chance.randint(4, 20))

    async def _socket(self) -> tuple[int, list[str]]:
        epoch, head = await self._head()
        start = max(head - self._chance.randrange(30), 0)
        talk = Talk(self._client, self._session, after=f"{epoch}.{start}")
        try:
            await talk.__aenter__()
            while len(talk.lines) < head - start + 8:
                await talk.frame()
        finally:
            talk.cut()
        return start + 1, talk.lines

    async def _head(self) -> tuple[str, int]:
        """Return where the log stands: a reader's opening says so."""
        async with self._client.feed(self._session) as feed:
            opening = await feed.frame()
        assert opening is not None
        return str(opening.id).split(".")[0], _seq(opening.id)


def digest_of(lines: list[str]) -> str:
    """Return a digest of events' bytes."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def _read(feed: Feed, start: int, count: int) -> tuple[int, list[str]]:
    lines: list[str] = []
    first = start + 1
    while len(lines) < count:
        frame = await feed.event()
        assert frame is not None
        assert _seq(frame.id) == first + len(lines), f"{frame.id} came after {first + len(lines) - 1}"
        lines.append(str(frame.data))
    return first, lines


def _seq(position: str | None) -> int:
    return int(str(position).split(".")[1])
