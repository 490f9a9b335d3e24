"""The way from a server to its PostgreSQL, which can be stalled or cut: a proxy before the unix socket."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

_SOCKET: Final = ".s.PGSQL.5432"


class PostgresLine:
    """Passes bytes on while it is open; while it is stalled nothing arrives and nobody is told, as in a black hole."""

    def __init__(self, real_folder: str, own_folder: str) -> None:
        self._real = f"{real_folder}/{_SOCKET}"
        self.folder = own_folder
        self._open = asyncio.Event()
        self._open.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self.commits_to_cut: list[bool] = []
        """One for each of the next commits whose connection breaks: whether the commit still arrives."""

    def stall(self) -> None:
        """Let nothing pass any more, neither on connections that stand nor on new ones."""
        self._open.clear()

    def go_on(self) -> None:
        """Let pass what was held, and what comes."""
        self._open.set()

    def cut(self) -> int:
        """Break every connection, and return how many ends there were."""
        for end in self._ends:
            end.transport.abort()
        return len(self._ends)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        self._ends.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            there_reader, there = await asyncio.open_unix_connection(self._real)
            self._ends.add(there)
            ways = [
                asyncio.create_task(self._carry(reader, there, asks=True)),
                asyncio.create_task(self._carry(there_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            # PostgreSQL is not there: the server's connection breaks as well.
            return
        finally:
            for end in (writer, there):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool = False) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._open.wait()
                if asks and self.commits_to_cut and b"COMMIT" in data:
                    if self.commits_to_cut.pop():
                        writer.write(data)
                        await writer.drain()
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def postgres_line(real_folder: str) -> AsyncIterator[PostgresLine]:
    """Lay a line to a cluster's socket; its `folder` stands for the cluster's in a database's URL."""
    with tempfile.TemporaryDirectory(prefix="branchline-line-") as folder:
        line = PostgresLine(real_folder, folder)
        serving: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(line.serve(reader, writer))
            serving.add(task)
            task.add_done_callback(serving.discard)

        listening = await asyncio.start_unix_server(accept, str(Path(folder) / _SOCKET))
        try:
            yield line
        finally:
            listening.close()
            line.go_on()
            line.cut()
            for task in list(serving):
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)
