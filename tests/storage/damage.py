"""A database that a server was killed on, copies of it with damage, and what a server makes of those."""

import asyncio
import json
import random
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

import httpx

from tests.harness.client import Client, split_array
from tests.harness.feed import completed
from tests.harness.process import ServerProcess
from tests.harness.sqlite import sqlite_database

_FILES = ("test.db", "test.db-wal")
_STARTS_WITHIN_SECONDS = 20


@dataclass
class Ledger:
    """What readers were sent: the exact events of each session, seen while they happened."""

    folder: Path
    lines: dict[str, list[str]] = field(default_factory=dict)
    killed_at: str = ""


@dataclass(frozen=True)
class Damage:
    """Bytes of a file that are changed at a place, or that end there."""

    file: str
    place: float
    truncates: bool
    mask: int

    def do(self, folder: Path) -> None:
        """Damage a copy."""
        path = folder / self.file
        content = bytearray(path.read_bytes())
        at = int(self.place * len(content))
        if self.truncates:
            path.write_bytes(content[:at])
        else:
            content[at] ^= self.mask
            path.write_bytes(content)

    @classmethod
    def by(cls, chance: random.Random) -> "Damage":
        """Choose some."""
        return cls(chance.choice(_FILES), chance.random(), chance.random() < 0.2, chance.randint(1, 255))


class Trial:
    """One damage, and what came of it: `wrong` has what must not be."""

    def __init__(self, damage: Damage, ledger: Ledger, folder: Path) -> None:
        self._damage = damage
        self._ledger = ledger
        self._folder = folder
        self._server = ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", fold_seconds=0.05)
        self.wrong: list[str] = []
        self.outcome = "whole"

    async def run(self) -> None:
        """Copy, damage, start, read."""
        self._folder.mkdir()
        for name in _FILES:
            shutil.copy(self._ledger.folder / name, self._folder / name)
        self._damage.do(self._folder)
        try:
            async with asyncio.timeout(_STARTS_WITHIN_SECONDS):
                started = await self._start()
            if started:
                await self._read()
        except TimeoutError:
            self.wrong.append(f"it neither starts nor refuses: {self._said()}")
        finally:
            self._server.__exit__()
            shutil.rmtree(self._folder)

    def _said(self) -> str:
        return self._server.errors.read_text()[-600:]

    async def _start(self) -> bool:
        starting = asyncio.to_thread(self._server.start)
        try:
            await starting
        except AssertionError:
            self.outcome = "refused"
            said = self._server.errors.read_text()
            if "Traceback" in said or "branchline cannot start: " not in said:
                self.wrong.append(f"no clear word: {said[-1500:]}")
            return False
        return True

    async def _read(self) -> None:
        async with Client(self._server.url) as client:
            for session, lines in self._ledger.lines.items():
                read, whole = await _log(client, session)
                self._compare(session, read, lines, whole=whole)
                if whole:
                    await self._write_on(client, session, read)
                else:
                    self.outcome = "told"

    def _compare(self, session: str, read: list[str], lines: list[str], *, whole: bool) -> None:
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(read, lines, strict=False)))
        torn = self._damage.file != _FILES[0]
        # SQLite takes a torn write-ahead log for one that ends there. What followed is as if it had not happened, and
        # a run that was under way at that place goes on from it: what it says now is new.
        if any(not torn or json.loads(line)["timestamp"] < self._ledger.killed_at for line in read[same:]):
            self.wrong.append(f"{session} has events that were never sent, after {same}")
        elif whole and same < len(lines) and not torn:
            self.wrong.append(f"{session} ends at {same} of {len(lines)} without a word")

    async def _write_on(self, client: Client, session: str, before: list[str]) -> None:
        try:
            accepted = await client.send(session, "And now?")
            if accepted.status_code != 202:
                self.outcome = "told"
                return
            await client.ended(session, accepted.json()["runtimeRunId"], seconds=10)
        except (httpx.HTTPError, AssertionError, TimeoutError):
            # Where it cannot write, it says so; only what it hands out counts here.
            self.outcome = "told"
            return
        after, whole = await _log(client, session)
        numbers = [json.loads(line)["sequenceNumber"] for line in after]
        if after[: len(before)] != before[: len(after)] or numbers != list(range(1, len(after) + 1)):
            self.wrong.append(f"{session} reads differently after another run")
        if not whole:
            self.outcome = "told"


async def make_ledger(folder: Path) -> Ledger:
    """Let runs happen, folded ones and plain ones into the file and others ahead of it, and kill the server."""
    await asyncio.to_thread(folder.mkdir)
    ledger, url = Ledger(folder), await asyncio.to_thread(sqlite_database, folder)
    for number in range(3):
        ledger.lines[f"s{number}"] = []
    for fold_seconds, is_last in ((0.05, False), (3600, False), (3600, True)):
        with ServerProcess(folder, url, fold_seconds=fold_seconds) as server:
            async with Client(server.url) as client:
                for session, seen in ledger.lines.items():
                    if not seen:
                        await client.session(session)
                    async with client.feed(session) as feed:
                        await client.accepted(session, "/tokens 200")
                        await feed.until(completed)
                    ledger.lines[session] = await client.log_lines(session)
            if is_last:
                server.kill()
                ledger.killed_at = datetime.now(UTC).isoformat()
            else:
                # Its end puts everything into the file itself.
                server.terminate()
    return ledger


async def _log(client: Client, session: str) -> tuple[list[str], bool]:
    """Return the whole events of a log, and whether it came to its end in order."""
    text = b""
    try:
        async with client.http.stream("GET", f"/sessions/{session}/branches/main/events") as response:
            if response.status_code != 200:
                return [], False
            async for piece in response.aiter_raw():
                text += piece
    except httpx.HTTPError:
        return _whole_events(text), False
    return split_array(text.decode()), True


def _whole_events(text: bytes) -> list[str]:
    """Return the events of a body that was cut, without the last one, which may be cut as well."""
    return split_array(text.decode(errors="ignore") + "]")[:-1] if text else []
