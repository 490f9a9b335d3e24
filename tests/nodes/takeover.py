"""Runs that a server loses, and the readers who follow them across it."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from tests.harness.client import Client
from tests.harness.feed import Feed, Frame, completed
from tests.harness.order import OutOfOrder, check_log


@dataclass
class Reader:
    """Somebody who follows one run, wherever there is a server; `ledger` is what came, as it came."""

    session: str
    run_id: str
    last_id: str
    ledger: list[str] = field(default_factory=list)
    closings: list[str] = field(default_factory=list)
    resumed_at: float | None = None
    has_ended: bool = False

    async def follow(self, feed: Feed) -> None:
        """Read until the run has ended, or the stream does; a break is no end of the ledger."""
        while not self.has_ended:
            try:
                frames = await feed.until(lambda _: True, seconds=60)
            except (AssertionError, OSError, asyncio.IncompleteReadError):
                return
            for frame in frames:
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.data is None:
            return
        event = frame.json
        if event["type"] == "STREAM_CLOSING":
            self.closings.append(event["reason"])
            return
        self.ledger.append(frame.data)
        self.last_id = event["eventId"]
        if event["type"] == "MESSAGE_TURN_STARTED" and event["isResume"] and self.resumed_at is None:
            self.resumed_at = time.monotonic()
        self.has_ended = completed(event)


async def begun(client: Client, text: str, many: int) -> list[Reader]:
    """Begin runs on branches of their own, and return somebody for each who has read nothing yet."""

    async def begin() -> Reader:
        session = await client.session()
        run = await client.accepted(session, text)
        return Reader(session, run["runtimeRunId"], run["position"])

    return await asyncio.gather(*(begin() for _ in range(many)))


async def follow(client: Client, reader: Reader) -> None:
    """Follow from where a reader is until the run has ended, or the stream."""
    async with client.feed(reader.session, last_event_id=reader.last_id) as feed:
        await reader.follow(feed)


async def follow_to_the_end(client: Client, reader: Reader) -> None:
    """Follow until the run has ended, coming back whenever the stream ends."""
    async with asyncio.timeout(90):
        while not reader.has_ended:
            try:
                await follow(client, reader)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)


def faults_of(reader: Reader, log: list[str], events: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with a run that was taken over, and with what its reader was shown."""
    faults: list[str] = []
    if reader.ledger != log[1:]:
        faults.append(f"the reader has {len(reader.ledger)} events that are not the log's {len(log) - 1}")
    try:
        check_log(events)
    except OutOfOrder as error:
        faults.append(str(error))
    ends = [event for event in events if completed(event)]
    if [end["status"] for end in ends] != ["completed"]:
        faults.append(f"the run ended {len(ends)} times: {[end['status'] for end in ends]}")
    return faults + _stale(events)


def _stale(events: list[dict[str, Any]]) -> list[str]:
    """Return what was written of a message after the run had been taken up without it."""
    cut: set[str] = set()
    open_now: set[str] = set()
    faults: list[str] = []
    for event in events:
        message = event.get("messageId", "")
        if event["type"] == "TEXT_MESSAGE_START":
            open_now.add(message)
        elif event["type"] == "TEXT_MESSAGE_END":
            cut.add(message)
            open_now.discard(message)
        elif event["type"] == "TEXT_DELTA" and (message in cut or message not in open_now):
            faults.append(f"{event['eventId']} writes for a message that was ended")
    return faults
