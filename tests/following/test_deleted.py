"""Whoever follows what is deleted is sent away for good, on the server that deleted it and on the others."""

import asyncio
from collections.abc import Callable

from tests.harness.client import Client
from tests.harness.feed import Feed, Frame, opened
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.runs.written import named


async def test_the_readers_of_a_deleted_branch_are_told_and_nobody_else_is(client: Client) -> None:
    session = await client.session()
    await client.branch(session, "other")
    feeds = [client.feed(session, "other") for _ in range(3)]
    async with opened(feeds), client.feed(session) as unconcerned:
        await asyncio.gather(*(feed.frame() for feed in feeds))

        response = await client.http.delete(f"/sessions/{session}/branches/other")

        lasts = await asyncio.gather(*(feed.to_end() for feed in feeds))
        await client.accepted(session, "Hi")
        heard = await unconcerned.event()

    assert response.status_code == 204
    for last in lasts:
        assert named([str(last[-1].data)]) == [
            '{"version":"1.0","type":"STREAM_CLOSING","timestamp":"TIME","sessionId":"ses_1","branchId":"other",'
            '"channel":"control","kind":"control","reason":"deleted"}'
        ]
        assert last[-1] == Frame(id=None, data=last[-1].data, event=None, retry=None)
    assert heard is not None
    assert heard.json["type"] == "BRANCH_RUN_STARTED"


async def test_the_readers_of_all_branches_of_a_deleted_session_are_told_behind_its_last_events(client: Client) -> None:
    session = await client.session()
    await client.branch(session, "other")
    accepted = await client.accepted(session, "/tokens 100000 5")
    feeds = [client.feed(session, after=accepted["position"]), client.feed(session, "other")]
    async with opened(feeds):
        await feeds[0].until(lambda event: event.get("text") == "tok20 ")

        response = await client.http.delete(f"/sessions/{session}?force=true")

        busy, quiet = await asyncio.gather(*(feed.to_end() for feed in feeds))

    assert response.status_code == 204
    assert _types(busy)[-2:] == ["BRANCH_RUN_COMPLETED", "STREAM_CLOSING"]
    assert _types(quiet) == ["STREAM_CLOSING"]
    assert {frames[-1].json["reason"] for frames in (busy, quiet)} == {"deleted"}


async def test_a_reader_far_behind_when_its_branch_is_deleted_is_told_too(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        session = await client.session()
        beginning = f"{(await client.position(session)).partition('.')[0]}.0"
        await client.ended(session, (await client.accepted(session, "/tokens 40000"))["runtimeRunId"])
        feed = client.feed(session, after=beginning)
        async with feed:
            await feed.frame()
            # Else so much would be kept on this side, unread, that it might be everything.
            feed.take_nothing()

            await client.http.delete(f"/sessions/{session}")

            feed.take_again()
            frames = await feed.to_end()

    assert frames[-1].json["reason"] == "deleted"
    numbers = [frame.json["sequenceNumber"] for frame in frames[:-1] if frame.data]
    assert numbers == list(range(1, 1 + len(numbers)))
    assert len(numbers) < 40_000


async def test_a_reader_on_another_server_is_told_within_a_tick(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    here, there = (make_server(url, tops_seconds=0.2).start() for _ in range(2))
    async with Client(here.url) as client, Client(there.url) as elsewhere:
        session = await client.session()
        async with elsewhere.feed(session) as feed:
            await feed.frame()

            await client.http.delete(f"/sessions/{session}")

            frames = await _ending(feed)

    assert [frame.json["reason"] for frame in frames] == ["deleted"]


async def _ending(feed: Feed) -> list[Frame]:
    return [frame for frame in await feed.to_end(seconds=10) if frame.data is not None]


def _types(frames: list[Frame]) -> list[str]:
    return [frame.json["type"] for frame in frames if frame.data is not None]
