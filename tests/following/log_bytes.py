"""A branch's log as the bytes that a reader must get."""

import json
from dataclasses import dataclass
from typing import Self

from tests.harness.client import Client


@dataclass(frozen=True)
class LogBytes:
    """The events of one branch, as `GET events` gave them out."""

    session: str
    epoch: str
    lines: list[str]

    @classmethod
    async def of(cls, client: Client, session: str) -> Self:
        """Read a branch's log."""
        lines = await client.log_lines(session)
        return cls(session, str(json.loads(lines[0])["eventId"]).split(".")[0], lines)

    def place(self, seq: int) -> str:
        """Return a position."""
        return f"{self.epoch}.{seq}"

    def stream_from(self, seq: int) -> bytes:
        """Return the stream of a reader that begins behind an event: the opening, then every event after it."""
        opening = f"retry: 2000\nid: {self.place(seq)}\n\n"
        frames = (f"id: {self.place(at)}\ndata: {line}\n\n" for at, line in enumerate(self.lines[seq:], seq + 1))
        return (opening + "".join(frames)).encode()
