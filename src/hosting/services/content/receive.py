"""Taking a file in: a megabyte at a time, and to be seen by nobody before it is whole."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from hosting.domain.content import CHUNK_BYTES, Arrival, Content, ContentPlace
from hosting.domain.content_errors import NoFileProvided
from hosting.domain.errors import StorageUnavailable
from hosting.ports.contents import Part
from hosting.services.content.core import Contents

PART_CHUNKS: Final = 4
_PART_BYTES: Final = PART_CHUNKS * CHUNK_BYTES


async def receive(
    contents: Contents,
    place: ContentPlace,
    name: str,
    content_type: str,
    pieces: AsyncIterator[bytes],
    *,
    most_bytes: int | None = None,
) -> Content:
    """Store a file; when this returns, it survives whatever happens to this process.

    `most_bytes` is how large it is at most, and about how large it is, when that is known.

    Raises:
        NoFileProvided: it is empty.
        SessionMissing, BranchMissing: its place was deleted meanwhile.
        ContentFull: there is no room for it.
        StorageUnavailable: it is not stored.
        Exception: whatever `pieces` raises; nothing is stored then.
    """
    arrival = Arrival(contents.ids.content(), place, name, content_type, contents.clock(), most_bytes)
    return await _Receiver(contents, arrival).receive(pieces)


class _Receiver:
    """One file on its way into the store."""

    def __init__(self, contents: Contents, arrival: Arrival) -> None:
        self._contents = contents
        self._arrival = arrival
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._stored_chunks = 0
        self._has_begun = False
        self._kept_free = 0
        self._total = 0

    async def receive(self, pieces: AsyncIterator[bytes]) -> Content:
        """Store what comes, and return it once it is whole."""
        try:
            async for piece in pieces:
                # Piece by piece: a megabyte at once would stand in the way of whoever streams beside this.
                self._hash.update(piece)
                self._waiting += piece
                # One byte stays behind: what is stored last says that it is the last.
                while len(self._waiting) > _PART_BYTES:
                    await self._put(_PART_BYTES)
            if not self._total and not self._waiting:
                raise NoFileProvided("has an empty one")
            await self._put(len(self._waiting), self._hash.hexdigest())
        except BaseException:
            await self._forget()
            raise
        arrival = self._arrival
        return Content(
            id=arrival.id,
            session_id=arrival.place.session_id,
            name=arrival.name,
            content_type=arrival.content_type,
            size_bytes=self._total,
            sha256=self._hash.hexdigest(),
            created_at=arrival.created_at,
        )

    async def _put(self, size: int, sha256: str | None = None) -> None:
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        chunks = [data[start : start + CHUNK_BYTES] for start in range(0, size, CHUNK_BYTES)]
        total = self._total + size
        part = Part(self._stored_chunks, chunks, total, self._kept_free, sha256)
        self._has_begun = True
        async with self._contents.writing:
            self._kept_free = await self._contents.store.put(self._arrival, part, self._contents.room)
        self._stored_chunks += len(chunks)
        self._total = total

    async def _forget(self) -> None:
        """Give the room back at once; what cannot be forgotten now is swept away later."""
        if self._has_begun:
            with suppress(StorageUnavailable):
                await asyncio.shield(self._contents.store.discard(self._arrival.id))
