"""Streams that end: because the server leaves, or because their reader does."""

import asyncio
from collections.abc import Callable
from typing import Any

import psutil

from hosting.settings import Settings
from tests.following.inside import serving
from tests.harness.client import Client
from tests.harness.feed import Feed, Frame, opened
from tests.harness.process import ServerProcess
from tests.runs.written import named

IDLE_STREAMS = 300
ROUNDS = 3
SOCKETS_OF_A_QUIET_SERVER = 4
"""The one that listens, and what the test's client keeps open between its requests."""
TOKENS = 300


async def test_a_server_that_leaves_tells_every_stream_and_the_run_goes_on_at_the_next_start(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1.5).start()
    async with Client(server.url) as client:
        busy, quiet = await client.session(), await client.session()
        accepted = await client.accepted(busy, f"/tokens {TOKENS} 5")
        feeds = [client.feed(busy, after=accepted["position"]) for _ in range(5)]
        feeds += [client.feed(quiet) for _ in range(5)]
        async with opened(feeds):
            seen = await feeds[0].until(_token(30))

            leaving = asyncio.create_task(asyncio.to_thread(server.terminate))
            lasts = await asyncio.gather(*(feed.to_end() for feed in feeds))
            status = await leaving
        closings = [frames[-1] for frames in lasts]

    server.start()
    async with Client(server.url) as client:
        run = await client.ended(busy, accepted["runtimeRunId"])
        log = await client.log(busy)
        lines = await client.log_lines(busy)

    assert status == 0
    for closing in closings:
        assert (closing.id, closing.event, closing.json["type"]) == (None, None, "STREAM_CLOSING")
        assert (closing.json["reason"], closing.retry) == ("drain", str(closing.json["retryMs"]))
        assert 0 < closing.json["retryMs"] <= 2000
    received = [frame.data for frame in [*seen, *lasts[0][:-1]] if frame.data]
    assert received == lines[1 : 1 + len(received)]
    assert run["status"] == "completed"
    starts = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"]
    assert _text_of(log, starts[-1]) == "".join(f"tok{index} " for index in range(TOKENS))


async def test_a_closing_is_these_bytes(make_server: Callable[..., ServerProcess], sqlite_url: str) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        session = await client.session()
        async with client.feed(session) as feed:
            await feed.frame()

            leaving = asyncio.create_task(asyncio.to_thread(server.terminate))
            closing, end = await feed.frame(), await feed.frame()
            await leaving

    assert closing is not None
    assert end is None
    retry_ms = closing.json["retryMs"]
    data = (
        '{"version":"1.0","type":"STREAM_CLOSING","timestamp":"TIME","sessionId":"ses_1","branchId":"main",'
        f'"channel":"control","kind":"control","reason":"drain","retryMs":{retry_ms}}}'
    )
    assert named([str(closing.data)]) == [data]
    assert closing == Frame(id=None, data=closing.data, event=None, retry=str(retry_ms))


async def test_300_idle_streams_opened_and_cut_leave_nothing_behind(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    process = psutil.Process(server.pid)
    async with Client(server.url) as client:
        session = await client.session()
        await _open_and_cut(client, session, process)
        memory = process.memory_info().rss

        for _ in range(ROUNDS):
            await _open_and_cut(client, session, process)

        assert process.memory_info().rss - memory < 6 << 20


async def test_a_branch_whose_readers_have_gone_is_not_followed_any_more(sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, heartbeat_seconds=0.05)
    async with serving(settings) as (base, server), Client(base) as client:
        session = await client.session()
        feeds = [client.feed(session) for _ in range(50)]
        async with opened(feeds):
            frames = await asyncio.gather(*(_two_frames(feed) for feed in feeds))
            (branch,) = server.rings.followed()
            followed = server.rings.open(branch)
            # For a moment none is: each reader that has had its beat arms again.
            await _settled(lambda: followed.armed > 0)
            armed_while_open = followed.armed

        await _settled(lambda: followed.followers == 1)
        server.rings.close(branch)

        assert len({frame.id for pair in frames for frame in pair}) == 1
        assert armed_while_open <= 50
        assert followed.armed == 0
        assert server.rings.followed() == []
        await _settled(lambda: not _tasks_named("live feed disconnect"))


async def _two_frames(feed: Feed) -> list[Frame]:
    frames = [frame for frame in (await feed.frame(), await feed.frame()) if frame is not None]
    assert [bool(frame.comments) for frame in frames] == [False, True]
    return frames


async def _open_and_cut(client: Client, session: str, process: psutil.Process) -> None:
    """Open streams, cut them, and wait until their sockets are gone."""
    feeds = [client.feed(session) for _ in range(IDLE_STREAMS)]
    async with opened(feeds):
        await asyncio.gather(*(feed.frame() for feed in feeds))
        assert _sockets(process) >= IDLE_STREAMS
    await _settled(lambda: _sockets(process) <= SOCKETS_OF_A_QUIET_SERVER)


def _sockets(process: psutil.Process) -> int:
    return len(process.net_connections(kind="tcp"))


async def _settled(is_so: Callable[[], bool], *, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.02)


def _tasks_named(name: str) -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == name]


def _token(number: int) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event.get("text") == f"tok{number} "


def _text_of(log: list[dict[str, Any]], message_id: str) -> str:
    return "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA" and event["messageId"] == message_id)
