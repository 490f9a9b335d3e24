"""A stream on which nothing happens: headers, opening, heartbeats."""

import asyncio
import re
from collections.abc import Callable

from tests.harness.client import Client
from tests.harness.feed import COMPLETED, Frame, completed, opened
from tests.harness.process import ServerProcess


async def test_an_idle_stream_says_at_once_where_it_stands_and_beats_with_that_place(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, heartbeat_seconds=0.3).start()
    async with Client(server.url) as client:
        session = await client.session()
        head = await client.position(session)

        async with client.feed(session) as feed:
            opening = await feed.frame()
            beats = [await feed.frame() for _ in range(3)]
            await client.accepted(session, "Hi")
            frames = await feed.until(completed)
            beat_after = await feed.frame()

    assert opening == Frame(id=head, retry="2000")
    assert beats == [Frame(id=head, comments=["heartbeat"])] * 3
    assert [frame.comments for frame in frames] == [[]] * len(frames)
    assert beat_after == Frame(id=frames[-1].id, comments=["heartbeat"])


async def test_a_stream_has_these_headers_and_ends_its_lines_with_line_feeds_alone(client: Client) -> None:
    session = await client.session()

    async with client.feed(session) as feed:
        await client.accepted(session, "/reason")
        received = await feed.read_through(COMPLETED)

    wanted = ("content-type", "cache-control", "x-accel-buffering", "content-length", "content-encoding")
    assert {name: feed.headers.get(name) for name in wanted} == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "content-length": None,
        "content-encoding": None,
    }
    assert b"\r" not in received
    blocks = received.split(b"\n\n")
    assert blocks[-1] == b""
    assert re.fullmatch(rb"retry: 2000\nid: [0-9a-f]{12}\.1", blocks[0])
    assert all(re.fullmatch(rb"id: [0-9a-f]{12}\.\d+\ndata: \{[^\n]*\}", block) for block in blocks[1:-1])


async def test_headers_come_before_anything_happens_on_200_streams_at_once(client: Client) -> None:
    session = await client.session()
    feeds = [client.feed(session) for _ in range(200)]

    # Sooner than the first heartbeat, which would bring late headers along.
    async with asyncio.timeout(8), opened(feeds):
        statuses = {feed.status for feed in feeds}

    assert statuses == {200}
