"""Clients that go on sending, and a ledger of what they were told is accepted; it shares nothing with the server."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import httpx

from tests.harness.client import Client


class Ledger:
    """Accepted inputs, each on the disk before the next one is sent."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def note(self, session: str, run_id: str) -> None:
        """Write down that a run was accepted."""
        self._file.write(json.dumps([session, run_id]).encode() + b"\n")
        os.fsync(self._file.fileno())

    def noted(self) -> list[tuple[str, str]]:
        """Return all sessions and runs so far."""
        return [(session, run_id) for session, run_id in map(json.loads, self._path.read_text().splitlines())]


class Load:
    """So many clients, each with a session of its own in which it sends one input after another."""

    def __init__(self, client: Client, ledger: Ledger, clients: int) -> None:
        self._client = client
        self._ledger = ledger
        self.sessions = [f"load{index}" for index in range(clients)]
        self._grown = asyncio.Condition()

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[Self]:
        """Send until the end."""
        async with asyncio.TaskGroup() as tasks:
            sending = [tasks.create_task(self._send(session)) for session in self.sessions]
            try:
                yield self
            finally:
                for task in sending:
                    task.cancel()

    async def accepted(self, count: int) -> None:
        """Wait until so many inputs are in the ledger."""
        async with asyncio.timeout(30), self._grown:
            await self._grown.wait_for(lambda: len(self._ledger.noted()) >= count)

    async def _send(self, session: str) -> None:
        await self._client.session(session)
        while True:
            try:
                accepted = await self._client.accepted(session, "/tokens 30 1")
                self._ledger.note(session, accepted["runtimeRunId"])
                async with self._grown:
                    self._grown.notify_all()
                await self._client.ended(session, accepted["runtimeRunId"])
            except httpx.HTTPError:
                return
