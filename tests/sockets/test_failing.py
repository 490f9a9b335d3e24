"""What breaks on the server is told of and closes with 1011; a client that comes back finds everything."""

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest

from events.control import CloseReason
from hosting.settings import Settings
from tests.edge.outage import Outage, own_cluster
from tests.edge.test_full_disk import Disk
from tests.following.inside import serving
from tests.following.log_bytes import LogBytes
from tests.harness.client import Client
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.runs.written import named
from tests.sockets.talk import Talk

RUNS = 16
BROKEN = (
    '{"version":"1.0","type":"MESSAGE_TURN_ERROR","timestamp":"TIME","sessionId":"ses_1","branchId":"main",'
    '"kind":"lifecycle","message":"The stream broke on the server; come back from the last event you have.",'
    '"errorType":"StreamError","isModelNotFound":false,"isRetryable":true}'
)
CLOSING = ("STREAM_CLOSING", "error")


@pytest.fixture(scope="module")
def outage() -> Iterator[Outage]:
    """A PostgreSQL that can go away."""
    with own_cluster() as outage:
        yield outage


async def test_an_input_that_a_full_disk_refuses_is_1011_and_the_next_one_works(sqlite_url: str) -> None:
    disk = Disk()
    settings = Settings(database_url=sqlite_url)
    async with serving(settings, disk) as (base, _), Client(base) as client:
        session = await client.session()
        async with Talk(client, session) as talk:
            disk.fill()
            await talk.say("x" * 500_000)
            ending = await talk.ending()
            disk.make_room()
        async with Talk(client, session) as again:
            await again.say("Hi")
            last = await again.end()

    assert ending == (1011, "storage-unavailable")
    _assert_told(talk)
    assert last["status"] == "completed"


async def test_a_database_that_is_away_is_1011_for_whoever_sends_something(outage: Outage) -> None:
    url = await outage.cluster.create_database_async()
    async with serving(Settings(database_url=url)) as (base, _), Client(base) as client:
        session = await client.session()
        async with Talk(client, session) as talk, Talk(client, session) as silent:
            try:
                await asyncio.to_thread(outage.begin)
                await talk.say("Hi")
                ending = await talk.ending(seconds=60)
            finally:
                await asyncio.to_thread(outage.end)
            await _until_it_is_back(client)
            await silent.say("Hi")
            last = await silent.end()

    assert ending == (1011, "storage-unavailable")
    _assert_told(talk)
    assert last["status"] == "completed"


async def test_a_stream_that_meets_damage_tells_what_is_whole_and_ends_with_1011(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url).start()
    async with Client(server.url) as client:
        log, damaged = await _damaged_log(client, RawStore(database_url))

        async with Talk(client, log.session, after=log.place(1)) as talk:
            ending = await talk.ending()

    *events, _, _ = talk.lines
    assert ending == (1011, "internal-error")
    assert events == log.lines[1 : 1 + len(events)]
    assert 0 < len(events) < damaged
    _assert_told(talk)


async def test_a_server_that_ends_because_of_a_fault_says_so_with_1011(sqlite_url: str) -> None:
    async with serving(Settings(database_url=sqlite_url)) as (base, server), Client(base) as client:
        session = await client.session()
        async with Talk(client, session) as silent, Talk(client, session) as talk:
            await talk.say("Hi")
            await talk.end()
            server.shut(CloseReason.ERROR)
            endings = [await silent.ending(), await talk.ending()]

    assert endings == [(1011, "internal-error")] * 2
    assert [(event["type"], event["reason"]) for event in silent.events] == [CLOSING]
    assert (talk.events[-1]["type"], talk.events[-1]["reason"]) == CLOSING
    assert "MESSAGE_TURN_ERROR" not in {event["type"] for event in talk.events}


async def _until_it_is_back(client: Client) -> None:
    patience = Patience()
    async with asyncio.timeout(30):
        while True:
            if (await client.http.get("/sessions")).status_code == 200:
                return
            await patience.wait()


async def _damaged_log(client: Client, store: RawStore) -> tuple[LogBytes, int]:
    """Return a log as it was and the number of the first event that is damaged now."""
    session = await client.session()
    for _ in range(RUNS):
        await client.ended(session, (await client.accepted(session, "/tokens 1"))["runtimeRunId"])
    log = await LogBytes.of(client, session)
    first, _ = (await store.ranges(session))[-3]
    where = "first_seq = ? AND branch_key IN (SELECT key FROM branches WHERE session_id = ?)"
    ((frames,),) = await store.run(f"SELECT frames FROM events WHERE {where}", first, session)
    forged = frames.replace(b'"branchId":"main"', b'"branchId":"mian"')
    await store.run(f"UPDATE events SET frames = ? WHERE {where}", forged, first, session)
    return log, first


def _assert_told(talk: Talk) -> None:
    """Make sure that the last two frames say that the stream broke, as on a live feed."""
    broken, closing = talk.lines[-2:]
    event = json.loads(closing)
    assert named([broken]) == [BROKEN]
    assert (event["type"], event["reason"]) == CLOSING
    assert 0 < event["retryMs"] <= 2000
    assert "eventId" not in event
