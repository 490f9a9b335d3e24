"""What clients know of a server that is going to be killed, and how it compares with what the server stored."""

import asyncio
import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.process import ServerProcess


@dataclass
class Entry:
    """One session: what was acknowledged, and what its reader saw, place by place."""

    session: str
    followed: asyncio.Event = field(default_factory=asyncio.Event)
    run_id: str | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)


class Ledger:
    """A file of what clients know, on the disk before anybody compares; reading it closes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w")

    def acked(self, session: str, run_id: str) -> None:
        """Note that an input was acknowledged; it is on the disk when this returns."""
        self._note("acked", session, run_id)
        self._sync()

    def saw(self, session: str, place: str | None, data: str | None) -> None:
        """Note that an event was seen."""
        self._note("seen", session, place, data)

    def read(self, entries: Sequence[Entry]) -> None:
        """Tell each session what was noted about it."""
        self._sync()
        self._file.close()
        known = {entry.session: entry for entry in entries}
        for line in self._path.read_text().splitlines():
            kind, session, *what = json.loads(line)
            if kind == "acked":
                known[session].run_id = what[0]
            else:
                known[session].seen.append((what[0], what[1]))

    def _note(self, *what: str | None) -> None:
        self._file.write(f"{json.dumps(what)}\n")

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


class Round:
    """Many runs that stream, a `kill -9`, and the reckoning."""

    def __init__(
        self, server: ServerProcess, chance: random.Random, *, runs: int = 50, tokens: int = 120, every_ms: int = 4
    ) -> None:
        self._server = server
        self._chance = chance
        self._tokens = tokens
        self._every_ms = every_ms
        self._entries = [Entry(f"s{chance.getrandbits(60):x}") for _ in range(runs)]
        self._ledger = Ledger(server.folder / "ledger")
        self.lost_inputs = 0
        self.lost_events = 0
        self.unfinished = 0
        self.slowest_restart = timedelta()

    async def play(self) -> None:
        """Start the runs, kill the server at a random moment, start it again, and compare."""
        async with Client(self._server.url) as client:
            for entry in self._entries:
                await client.session(entry.session)
            await self._stream_until_killed(client)
        killed_at = datetime.now(UTC)
        self._ledger.read(self._entries)
        await asyncio.to_thread(self._server.start)
        ready_at = datetime.now(UTC)
        async with Client(self._server.url) as client:
            async with asyncio.TaskGroup() as tasks:
                for entry in self._entries:
                    tasks.create_task(self._reckon(client, entry, killed_at, ready_at))

    async def _stream_until_killed(self, client: Client) -> None:
        # The moment is counted in events seen by all, so that it falls somewhere into the streams.
        deadly = self._chance.randint(1, len(self._entries) * self._tokens)
        count = 0
        died = asyncio.Event()

        def saw() -> None:
            nonlocal count
            count += 1
            if count == deadly:
                self._server.kill()
                died.set()

        async with asyncio.TaskGroup() as tasks:
            for entry in self._entries:
                tasks.create_task(self._read(client, entry, saw))
                tasks.create_task(self._submit(client, entry))
        assert died.is_set(), "the runs ended before the kill"

    async def _submit(self, client: Client, entry: Entry) -> None:
        # Not before it is followed: what no reader sees does not count, and the moment of the kill might never come.
        await entry.followed.wait()
        try:
            response = await client.send(entry.session, f"/tokens {self._tokens} {self._every_ms}")
        except httpx.HTTPError:
            return
        assert response.status_code == 202, response.text
        self._ledger.acked(entry.session, response.json()["runtimeRunId"])

    async def _read(self, client: Client, entry: Entry, saw: Callable[[], None]) -> None:
        try:
            async with client.feed(entry.session) as feed:
                entry.followed.set()
                while (frame := await feed.event()) is not None:
                    self._ledger.saw(entry.session, frame.id, frame.data)
                    saw()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            entry.followed.set()

    async def _reckon(self, client: Client, entry: Entry, killed_at: datetime, ready_at: datetime) -> None:
        runs = (await client.http.get(f"/sessions/{entry.session}/branches/main/runs")).json()
        if entry.run_id is not None and [entry.run_id] != [run["runtimeRunId"] for run in runs]:
            self.lost_inputs += 1
            return
        if runs:
            await self._follow_to_the_end(client, entry)
            self._restarts(await client.log(entry.session), killed_at, ready_at)
        log = await client.log_lines(entry.session)
        places = [int(place.split(".")[1]) for place, _ in entry.seen]
        # Each was seen once and in order, and is still in its place.
        self.lost_events += sum(log[place - 1] != line for place, (_, line) in zip(places, entry.seen, strict=True))
        assert places == sorted(set(places))
        await client.accepted(entry.session, "and now?")

    async def _follow_to_the_end(self, client: Client, entry: Entry) -> None:
        log = await client.log(entry.session)
        if not completed(log[-1]):
            async with client.feed(entry.session, last_event_id=log[-1]["eventId"]) as feed:
                await feed.until(completed, seconds=60)
        log = await client.log(entry.session)
        ends = [event for event in log if completed(event)]
        messages = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"]
        text = "".join(
            event["text"] for event in log if event["type"] == "TEXT_DELTA" and event["messageId"] == messages[-1]
        )
        whole = "".join(f"tok{index} " for index in range(self._tokens))
        if [end["status"] for end in ends] != ["completed"] or text != whole:
            self.unfinished += 1

    def _restarts(self, log: list[dict[str, str]], killed_at: datetime, ready_at: datetime) -> None:
        began = [datetime.fromisoformat(event["timestamp"]) for event in log if event["type"] == "MESSAGE_TURN_STARTED"]
        for moment in began:
            if moment > killed_at:
                self.slowest_restart = max(self.slowest_restart, moment - ready_at)
