"""A server whose settings lie in a file, and everything of it that others could see."""

import json
import subprocess
from pathlib import Path
from typing import IO, Any

import psutil
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.harness.process import ColdServerProcess


class WatchedServer(ColdServerProcess):
    """`branchline serve` with its settings in branchline.toml; what it says is kept."""

    said = ""

    def _begin(self, environment: dict[str, str], files: tuple[int, int, int]) -> subprocess.Popen[bytes]:
        given = {name: value for name, value in environment.items() if name.startswith("BRANCHLINE_")}
        lines = (f"{name.removeprefix('BRANCHLINE_').lower()} = {json.dumps(value)}\n" for name, value in given.items())
        (self.folder / "branchline.toml").write_text("".join(lines), "utf-8")
        return super()._begin({name: environment[name] for name in environment.keys() - given.keys()}, files)

    def _read_address(self, output: IO[str]) -> str:
        return super()._read_address(_Kept(self, output))  # type: ignore[arg-type]  # all that is wanted of it are lines

    def wait(self) -> int:
        """Wait for the end, and keep what it said until then."""
        assert self._process is not None
        self._process.wait(20)
        if self._output is not None and not self._output.closed:
            self.said += self._output.read()
        return super().wait()

    def processes(self) -> dict[str, dict[str, bytes]]:
        """Return arguments and environment of the server and of all that it has started, as the system tells them."""
        server = psutil.Process(self.pid)
        found = {"server": self.pid} | {f"child {child.pid}": child.pid for child in server.children(recursive=True)}
        return {
            name: {part: Path(f"/proc/{pid}/{part}").read_bytes() for part in ("cmdline", "environ")}
            for name, pid in found.items()
        }

    async def stored(self) -> bytes:
        """Return every byte that is stored: the files of a SQLite database, or all rows of all tables."""
        if self.database_url.startswith("sqlite"):
            path = Path(self.database_url.removeprefix("sqlite+aiosqlite:///"))
            return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")) if each.is_file())
        engine = create_async_engine(self.database_url)
        tables = MetaData()
        async with engine.connect() as connection:
            await connection.run_sync(tables.reflect)
            pieces = [
                _bytes_of(value)
                for name in tables.tables
                for row in await connection.execute(text(f'SELECT * FROM "{name}"'))
                for value in row
            ]
        await engine.dispose()
        return b"\n".join(pieces)


class _Kept:
    """Lines that are read, and kept."""

    def __init__(self, server: WatchedServer, output: IO[str]) -> None:
        self._server = server
        self._output = output

    def __iter__(self) -> "_Kept":
        return self

    def __next__(self) -> str:
        line = next(self._output)
        self._server.said += line
        return line


def _bytes_of(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
