"""A PostgreSQL whose answers can get lost: a proxy between a server and its unix socket."""

import asyncio
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Self

_SOCKET = ".s.PGSQL.5432"


class Cut(Enum):
    """What happens to the next COMMIT."""

    NONE = auto()
    BEFORE = auto()
    AFTER = auto()


class CommitCutter:
    """Passes bytes on; the next COMMIT after `cut` was set loses its connection before or after it was made."""

    def __init__(self, real_folder: str, own_folder: Path) -> None:
        self._real = f"{real_folder}/{_SOCKET}"
        self._own = f"{own_folder}/{_SOCKET}"
        self.folder = str(own_folder)
        self.cut = Cut.NONE
        self.cuts = 0
        self._listening: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None] | None] = set()

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_unix_server(self._connected, self._own)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._listening is not None
        self._listening.close()
        for task in self._serving:
            assert task is not None
            with suppress(asyncio.CancelledError):
                await task

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        there_reader, there_writer = await asyncio.open_unix_connection(self._real)
        cutting = asyncio.Event()
        with suppress(ConnectionError):
            back = asyncio.create_task(self._answers(there_reader, writer, cutting))
            forth = asyncio.create_task(self._requests(reader, there_writer, cutting))
            await asyncio.wait({back, forth}, return_when=asyncio.FIRST_COMPLETED)
            if cutting.is_set():
                await back
            for task in (back, forth):
                task.cancel()
            await asyncio.gather(back, forth, return_exceptions=True)
        for end in (there_writer, writer):
            end.transport.abort()
            with suppress(ConnectionError):
                await end.wait_closed()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cutting: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 16):
            if b"COMMIT" in data and self.cut is not Cut.NONE:
                self.cuts += 1
                before, self.cut = self.cut is Cut.BEFORE, Cut.NONE
                cutting.set()
                if before:
                    writer.close()
                else:
                    writer.write(data)
                return
            writer.write(data)

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cutting: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 16):
            if cutting.is_set():
                return
            writer.write(data)
