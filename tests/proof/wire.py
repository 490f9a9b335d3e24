"""A follower that reads bytes off the wire and breaks off after any number of them."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.harness.client import Client

END = b'"type":"BRANCH_RUN_COMPLETED"'


@dataclass
class Kept:
    """What a client keeps of a stream over all its connections: the last id, and what it was given with each."""

    last_id: str
    frames: list[tuple[str, str]] = field(default_factory=list)
    cuts: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether a run's last event is there."""
        return bool(self.frames) and END in self.frames[-1][1].encode()


async def read_cut(client: Client, session: str, branch: str, kept: Kept, most: int) -> None:
    """Go on from the last id, and break off after so many bytes of the answer, its head and its chunks among them.

    Stops by itself only behind the end of a run.
    """
    parts = urlsplit(client.base)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    path = f"{client.path(session, branch)}/events/live"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.hostname}\r\nLast-Event-ID: {kept.last_id}\r\n\r\n".encode())
    raw = b""
    try:
        async with asyncio.timeout(60):
            while len(raw) < most and (piece := await reader.read(min(1 << 16, most - len(raw)))):
                raw += piece
                if END in piece and _blocks(raw) and END in _blocks(raw)[-1]:
                    break
    finally:
        # A reset, not a farewell.
        writer.transport.abort()
    kept.cuts += 1
    for block in _blocks(raw):
        _keep(kept, block.decode())


def _keep(kept: Kept, block: str) -> None:
    lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
    kept.last_id = lines.get("id", kept.last_id)
    if "data" in lines:
        kept.frames.append((lines["id"], lines["data"]))


def _blocks(raw: bytes) -> list[bytes]:
    """Return the whole blocks among the bytes of an answer, however its chunks lie."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert not rest or head.startswith(b"HTTP/1.1 200 "), head[:300]
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16) if size and b"\r" not in size else 0
        body, rest = body + rest[:length], rest[length + 2 :]
    return body.split(b"\n\n")[:-1]
