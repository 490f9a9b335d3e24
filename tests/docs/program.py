"""A program that a sample starts, and what it prints."""

import asyncio
import os
import re
import sys
from pathlib import Path


class Program:
    """A process whose output is read line by line; both of its streams are one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, *arguments: str, folder: Path, **environment: str) -> "Program":
        """Start `python` with arguments."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=folder,
            env=inherited | {"PYTHONUNBUFFERED": "1"} | environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return cls(process)

    async def find(self, pattern: str) -> re.Match[str]:
        """Read on to the line that has a pattern."""
        assert self._process.stdout is not None
        read: list[str] = []
        async with asyncio.timeout(30):
            while line := (await self._process.stdout.readline()).decode():
                read.append(line)
                if match := re.search(pattern, line):
                    return match
        raise AssertionError(f"no line has {pattern!r}:\n{''.join(read)}")

    async def output(self, typed: str = "") -> str:
        """Type something, wait for the end, which must be a good one, and return what was printed."""
        async with asyncio.timeout(60):
            output, _ = await self._process.communicate(typed.encode())
        assert self._process.returncode == 0, output.decode()
        return output.decode()

    async def status(self) -> int:
        """Wait for the end, and return how it ended."""
        async with asyncio.timeout(30):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    async def kill(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()
