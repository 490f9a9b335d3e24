"""Large files go in and out, and neither the server's memory nor whoever streams beside them notices."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import psutil

from tests.content.upload import digest, pieces_of, upload
from tests.harness.client import Client
from tests.harness.feed import Feed
from tests.harness.process import ServerProcess

SIZE = int(os.environ.get("CONTENT_MB", "24")) << 20
MOST_GROWTH = 16 << 20
MOST_DELAY_SECONDS = 0.5


@asynccontextmanager
async def watched_memory(pid: int) -> AsyncIterator[list[int]]:
    """Look how much memory a process has, again and again; the list is what it had."""
    seen: list[int] = []

    async def look() -> None:
        process = psutil.Process(pid)
        while True:
            seen.append(process.memory_info().rss)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(look())
    try:
        yield seen
    finally:
        task.cancel()


async def delays_of(feed: Feed, enough: asyncio.Event) -> list[float]:
    """Return how long after each delta was said it came, until it is enough."""
    delays: list[float] = []
    while not enough.is_set():
        frame = await feed.event()
        assert frame is not None
        if frame.json["type"] == "TEXT_DELTA":
            said = datetime.fromisoformat(frame.json["timestamp"])
            delays.append((datetime.now(UTC) - said).total_seconds())
    return delays


async def downloaded(base: str, path: str) -> str:
    """Return the SHA-256 of what is at a path, in hex."""
    async with httpx.AsyncClient(base_url=base, timeout=60) as http, http.stream("GET", path) as response:
        assert response.status_code == 200
        return await digest(response.aiter_raw())


async def test_a_large_upload_and_its_download_take_no_memory_and_hold_up_no_stream(
    server: ServerProcess, client: Client
) -> None:
    session = await client.session()
    path = f"/sessions/{session}/branches/main/content"
    warm = await upload(server.url, path, 2 << 20)
    assert warm.status == 201, warm.body
    await downloaded(server.url, warm.headers["location"])
    enough = asyncio.Event()

    async with client.feed(session) as feed:
        await client.accepted(session, "/tokens 10000 5")
        reading = asyncio.create_task(delays_of(feed, enough))
        async with watched_memory(server.pid) as memory:
            before = psutil.Process(server.pid).memory_info().rss
            answer = await upload(server.url, path, SIZE)
            after_upload = max(memory)
            read = await downloaded(server.url, answer.headers["location"])
            after_download = max(memory)
        enough.set()
        delays = await reading

    assert answer.status == 201, answer.body
    assert read == answer.json["version"] == await digest(pieces_of(SIZE))
    print(f"upload +{(after_upload - before) >> 10} KiB, download +{(after_download - before) >> 10} KiB")
    print(f"{len(delays)} deltas, p50 {sorted(delays)[len(delays) // 2]:.4f} s, max {max(delays):.4f} s")
    assert max(after_upload, after_download) - before <= MOST_GROWTH
    assert max(delays) < MOST_DELAY_SECONDS
